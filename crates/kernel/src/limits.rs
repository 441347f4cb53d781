//! Every capacity of the kernel, each with its reason.
//!
//! A full table is a value (`base::fixed::Full`), never a panic; `limits` in the
//! shell prints this list beside what is in use.

/// One row of the table that the shell prints.
pub struct Limit {
    pub name: &'static str,
    pub value: usize,
    pub reason: &'static str,
}

macro_rules! limits {
    ($( $(#[doc = $reason:literal])+ $name:ident = $value:expr; )+) => {
        $( $(#[doc = $reason])+ pub const $name: usize = $value; )+
        pub const LIMITS: &[Limit] = &[
            $( Limit { name: stringify!($name), value: $name, reason: concat!($($reason),+) }, )+
        ];
    };
}

limits! {
    /// Cores that are started; more are left parked and shown as such.
    CORES_MAX = 32;
    /// Threads, the idle thread of each core included.
    THREADS_MAX = 128;
    /// Stack of a kernel thread; the deepest path seen uses under two thirds.
    STACK_BYTES = 64 * 1024;
    /// Stacks: one a thread, and five a core for exceptions and its start.
    STACK_SLOTS_MAX = THREADS_MAX + 5 * CORES_MAX;
    /// Bytes of the heap; a small machine gets a sixteenth of its memory.
    HEAP_BYTES_MAX = 32 << 20;
    /// Bytes of a thread's name.
    THREAD_NAME_MAX = 24;
    /// Ranges of the machine's memory map after merging neighbours.
    MEMORY_RANGES_MAX = 128;
    /// Device ranges mapped at the same time.
    MMIO_RANGES_MAX = 64;
    /// Interrupt sources with a handler.
    INTERRUPT_SOURCES_MAX = 64;

    /// Tenants with quotas and counters of their own; the kernel is the first.
    TENANTS_MAX = 8;

    /// TCP connections; one that is over leaves its place to a small record of its end.
    TCP_CONNECTIONS_MAX = 512;
    /// Connections that a peer has asked for and not confirmed; a flood pushes out the oldest.
    TCP_HALF_OPEN_MAX = 256;
    /// Ended connections that are remembered against late segments; the oldest make room.
    TCP_TIME_WAIT_MAX = 1024;
    /// Ports of this machine that take TCP connections.
    TCP_LISTENERS_MAX = 32;
    /// A piece of a connection's buffer; small enough that an idle connection costs two.
    TCP_CHUNK_BYTES = 8 * 1024;
    /// Pieces of all connections' buffers: 64 MiB, of which a machine gives what it can spare.
    TCP_CHUNKS_MAX = 8192;
    /// Pieces of one direction's buffer: 2 MiB fill a gigabit at 16 ms of delay.
    TCP_RING_CHUNKS_MAX = 256;
    /// Runs of received bytes with gaps before them; at 5 % loss a full buffer has about 70.
    TCP_GAPS_MAX = 128;
    /// Runs of sent bytes that share a fate: on their way, arrived, lost.
    TCP_FLIGHTS_MAX = 128;
    /// Answers without a connection (resets, confirmations) that wait to be sent.
    TCP_REPLIES_MAX = 64;
    /// Resets to strangers in one second; a scan of all ports gets no more.
    TCP_RESETS_A_SECOND = 500;
    /// Payload bytes of one hand-over to the network: what devices cut apart at most.
    TCP_DEPARTURE_BYTES_MAX = 63 * 1024;

    /// Consoles with a shell session of their own: the serial line and the screen.
    CONSOLES_MAX = 2;
    /// Bytes of a command line as typed; more are refused with a bell.
    LINE_MAX = 1024;
    /// Words of one command.
    WORDS_MAX = 64;
    /// Filters behind one command.
    FILTERS_MAX = 8;
    /// Filters of one line, all its commands together.
    LINE_FILTERS_MAX = 32;
    /// Commands of one line, between semicolons.
    LINE_COMMANDS_MAX = 16;
    /// Words, bars and semicolons of one line; a line full of them is a mistake, not a command.
    LINE_TOKENS_MAX = 192;
    /// Lines that a session remembers.
    HISTORY_MAX = 64;
    /// Bytes of all remembered lines of a session; its oldest lines make room.
    HISTORY_BYTES = 8 * 1024;
    /// Bytes of a prompt, the one of the history search included.
    PROMPT_MAX = 128;
    /// Bytes of the text that is searched for in the history.
    SEARCH_MAX = 48;
    /// Proposals of one completion that are listed; more are counted.
    CANDIDATES_MAX = 64;
    /// Bytes of all listed proposals of one completion.
    CANDIDATES_BYTES = 2 * 1024;
    /// Bytes that a session takes ahead of the line that runs.
    SESSION_INPUT_BYTES = 1024;
    /// Bytes of echo and redraw a session holds for a slow console.
    SESSION_OUTPUT_BYTES = 16 * 1024;
    /// Scan codes received from the keyboard and not yet read by the loop.
    KEYBOARD_SCANCODES_MAX = 256;
    /// Bytes received from the serial line and not yet read by the loop.
    SERIAL_RECEIVE_BYTES = 4096;
    /// Bytes written to the serial line and not yet taken by the device.
    SERIAL_TRANSMIT_BYTES = 16 * 1024;

    /// Columns of the screen; a wider display keeps a margin on the right.
    SCREEN_COLUMNS_MAX = 256;
    /// Rows of the screen; a higher display keeps a margin below.
    SCREEN_ROWS_MAX = 128;
    /// Lines that left the screen at the top and can be paged back to.
    SCREEN_SCROLL_BACK_LINES = 400;
    /// Bytes that the screen takes in one call; painting has a budget of its own.
    SCREEN_WRITE_BYTES = 4096;
    /// Bytes typed on the keyboard and not yet read by the loop.
    KEYBOARD_INPUT_BYTES = 1024;
    /// Numbers in one escape sequence; the longest in use (24-bit colours) has 10.
    ESCAPE_NUMBERS_MAX = 16;
    /// Bytes of a title or another text for terminals before it counts as ordinary text.
    ESCAPE_STRING_MAX = 512;
    /// Reads of the keyboard controller's status during its start, about a microsecond each.
    PS2_STATUS_READS_MAX = 1_000_000;

    /// Blocks (tables and key-value groups) of one report.
    REPORT_BLOCKS_MAX = 32;
    /// Columns of one table.
    REPORT_COLUMNS_MAX = 16;
    /// Cells of one report, all blocks together.
    REPORT_CELLS_MAX = 4096;
    /// Bytes of text in one report.
    REPORT_TEXT_BYTES = 64 * 1024;
    /// Bytes of an error's sentence, the list of what was possible included.
    REPORT_ERROR_MAX = 512;

    /// Log records kept.
    LOG_RECORDS_MAX = 512;
    /// Bytes of one log record's text; longer ones are cut and marked.
    LOG_TEXT_MAX = 120;
    /// Sources with a log level of their own.
    LOG_FILTERS_MAX = 16;
    /// Events in the trace ring; a power of two.
    TRACE_EVENTS_MAX = 1024;
    /// Bytes of the kernel's command line.
    COMMAND_LINE_MAX = 4096;
    /// Problems in the configuration that are shown; the rest is counted.
    CONFIG_PROBLEMS_MAX = 8;
    /// Names and lines for backtraces; half a byte for each byte of code.
    SYMBOLS_BYTES = 256 * 1024;
}

const _: () = assert!(TRACE_EVENTS_MAX.is_power_of_two());
const _: () = assert!(SERIAL_TRANSMIT_BYTES >= 4 * LINE_MAX);
const _: () = assert!(SESSION_OUTPUT_BYTES >= 8 * LINE_MAX);
const _: () = assert!(HISTORY_BYTES >= 4 * LINE_MAX && HISTORY_BYTES <= u16::MAX as usize);
const _: () = assert!(PROMPT_MAX >= 2 * SEARCH_MAX);
const _: () = assert!(LINE_TOKENS_MAX >= 2 * WORDS_MAX && LINE_TOKENS_MAX <= LINE_MAX / 2);
const _: () = assert!(THREADS_MAX >= 2 * CORES_MAX);
const _: () = assert!(TCP_CHUNKS_MAX < u16::MAX as usize && TCP_CHUNK_BYTES.is_power_of_two());
const _: () = assert!(TCP_CHUNKS_MAX >= 2 * TCP_CONNECTIONS_MAX + TCP_RING_CHUNKS_MAX);
const _: () = assert!(TCP_RING_CHUNKS_MAX * TCP_CHUNK_BYTES <= u16::MAX as usize * (1 << 14));
const _: () = assert!(TCP_DEPARTURE_BYTES_MAX + 120 <= u16::MAX as usize);
