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
    /// Device ranges mapped at the same time; a PCI device needs two.
    MMIO_RANGES_MAX = 160;
    /// Interrupt sources with a handler.
    INTERRUPT_SOURCES_MAX = 64;

    /// PCI functions in the table of devices; a bit each in a word of signals.
    PCI_FUNCTIONS_MAX = 64;
    /// Drivers, with a device or waiting for one to come back.
    DRIVERS_MAX = 32;
    /// Slots that can be plugged while the machine runs; a bit each in a word of signals.
    HOT_PLUG_SLOTS_MAX = 32;
    /// Legacy interrupt lines that PCI devices share.
    DEVICE_LINES_MAX = 8;
    /// Lies after which a device is left alone until somebody resets it.
    DEVICE_LIES_MAX = 5;
    /// Bytes of the reason that a device's row shows.
    DEVICE_REASON_BYTES = 120;
    /// Queues of one device in the table of counters.
    DEVICE_QUEUES_SHOWN_MAX = 4;
    /// Entries of a virtqueue; devices offer 256, more only helps a device that is slower than memory.
    VIRTIO_QUEUE_ENTRIES_MAX = 256;
    /// Network ports; each has buffers of its own.
    NETWORK_PORTS_MAX = 4;
    /// Frames that a port's device may fill before somebody looks; fewer where memory is short.
    NETWORK_RECEIVE_FRAMES_MAX = 256;
    /// Frames of usual size that a port's users and its device hold to send.
    NETWORK_SEND_FRAMES_MAX = 256;
    /// Segments of up to 64 KiB that are on their way to a device that cuts them.
    NETWORK_SEND_SEGMENTS_MAX = 64;

    /// Tenants with quotas and counters of their own; the kernel is the first.
    TENANTS_MAX = 8;

    /// Requests that a virtio disk has at the same time; three entries of its queue each.
    BLOCK_REQUESTS_MAX = 64;
    /// Bytes of one transfer to or from a disk.
    BLOCK_REQUEST_BYTES_MAX = 1 << 20;
    /// Entropy devices; a second one serves when the first is unplugged.
    ENTROPY_SOURCES_MAX = 2;
    /// Virtio consoles; each has a session's memory.
    VIRTIO_CONSOLES_MAX = 1;
    /// Virtual displays; each has a session's memory and that of a picture.
    DISPLAYS_MAX = 1;
    /// Random bytes kept ready; they seed generators, which need 32 each.
    ENTROPY_BYTES = 256;
    /// Bytes received from a virtio console and not yet read by the loop.
    VIRTIO_CONSOLE_RECEIVE_BYTES = 4096;
    /// Bytes written to a virtio console and not yet given to the device.
    VIRTIO_CONSOLE_TRANSMIT_BYTES = 16 * 1024;
    /// Buffers of a virtio console, each way.
    VIRTIO_CONSOLE_BUFFERS = 8;
    /// Bytes of a virtual display's picture: 2560 x 1600; on a larger one less of it is used.
    GPU_DISPLAY_BYTES_MAX = 16_384_000;
    /// Commands that a GPU has at the same time: two rectangles are moved and shown.
    GPU_COMMANDS_MAX = 4;
    /// Events that a virtio input device may be ahead of the loop.
    VIRTIO_INPUT_EVENTS_MAX = 64;
    /// Input events that wait for a tenant; nobody reads more than a screenful of moves.
    INPUT_TENANT_EVENTS_MAX = 64;
    /// Input devices that are listened to: keyboard, mouse, tablet, twice.
    INPUT_DEVICES_MAX = 6;
    /// Disks with a name; more are left alone and shown as such.
    DISKS_MAX = 8;
    /// What people want of disks at the same time: one a console, and as many through the interface.
    DISK_ERRANDS_MAX = 4;
    /// Bytes that one of these reads or writes: eight sectors, which fill a screen.
    DISK_ERRAND_BYTES = 4096;

    /// Consoles with a shell session of their own: the serial line, the screen, a virtual display, a virtio console.
    CONSOLES_MAX = 4;
    /// Work that outlasts a tick and is waited for: one a console, and as many clients of the interface as ask at once.
    OPERATIONS_MAX = 16;
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

const _: () = assert!(PCI_FUNCTIONS_MAX <= 64 && HOT_PLUG_SLOTS_MAX <= 64);
const _: () = assert!(TRACE_EVENTS_MAX.is_power_of_two());
const _: () = assert!(SERIAL_TRANSMIT_BYTES >= 4 * LINE_MAX);
const _: () = assert!(SESSION_OUTPUT_BYTES >= 8 * LINE_MAX);
const _: () = assert!(HISTORY_BYTES >= 4 * LINE_MAX && HISTORY_BYTES <= u16::MAX as usize);
const _: () = assert!(PROMPT_MAX >= 2 * SEARCH_MAX);
const _: () = assert!(LINE_TOKENS_MAX >= 2 * WORDS_MAX && LINE_TOKENS_MAX <= LINE_MAX / 2);
const _: () = assert!(OPERATIONS_MAX >= CONSOLES_MAX + DISK_ERRANDS_MAX);
const _: () = assert!(THREADS_MAX >= 2 * CORES_MAX);
