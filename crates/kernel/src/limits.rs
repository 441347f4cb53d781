//! Every capacity of the kernel, each with its reason.
//!
//! A full table is a value (`base::fixed::Full`), never a panic; `limits` in the
//! shell prints this list beside what is in use.

/// One row of the table that the shell prints.
#[derive(Clone, Copy)]
pub struct Limit {
    pub name: &'static str,
    pub value: usize,
    pub reason: &'static str,
}

macro_rules! limits {
    ($( $(#[doc = $reason:literal])+ $name:ident = $value:expr; )+) => {
        $( $(#[doc = $reason])+ pub const $name: usize = $value; )+
        /// Those of this file.
        pub(in crate::limits) const OWN: &[Limit] = &[
            $( Limit { name: stringify!($name), value: $name, reason: concat!($($reason),+) }, )+
        ];
    };
}

// Behind the macro, which it uses.
mod storage;

pub use storage::*;

/// All of them, in the order in which the shell prints them.
pub const LIMITS: &[Limit] = &{
    let mut all = [OWN[0]; OWN.len() + storage::OWN.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = match index.checked_sub(OWN.len()) {
            None => OWN[index],
            Some(behind) => storage::OWN[behind],
        };
        index += 1;
    }
    all
};

limits! {
    /// Cores that are started; more are left parked and shown as such.
    CORES_MAX = 32;
    /// Threads, the idle thread of each core included.
    THREADS_MAX = 128;
    /// Stack of a kernel thread; the deepest path seen uses under two thirds.
    STACK_BYTES = 64 * 1024;
    /// Stack of the control loop, which makes all subsystems and carries each through its tick.
    CONTROL_STACK_BYTES = 128 * 1024;
    /// Stacks: one a thread, and five a core for exceptions and its start.
    STACK_SLOTS_MAX = THREADS_MAX + 5 * CORES_MAX;
    /// Bytes of the heap; a machine gives an eighth of its memory, and 10 MiB at least.
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
    /// Bytes of display memory that a tenant may hold unless its quota is set.
    GPU_TENANT_BYTES = 128 << 20;
    /// Commands of a tenant that wait for the GPU; more would make others wait behind them.
    GPU_TENANT_COMMANDS_MAX = 32;
    /// Bytes a second of a tenant's frames each way: 100 Mbit/s.
    NETWORK_TENANT_BYTES_PER_S = 12_500_000;
    /// Bytes of the disk that a tenant may address.
    BLOCK_TENANT_BYTES = 10 << 30;
    /// Reads a second of a tenant.
    BLOCK_TENANT_READS_PER_S = 10_000;
    /// Writes a second of a tenant.
    BLOCK_TENANT_WRITES_PER_S = 10_000;
    /// Requests of a tenant that the disk has not answered: a share of the smallest usual queue of 128.
    BLOCK_TENANT_REQUESTS_MAX = 16;
    /// Input events that wait for a tenant; it hears of the newest when it has taken older ones.
    INPUT_TENANT_EVENTS_MAX = 64;
    /// Operations on devices that are remembered: denials, console lines, changed quotas.
    DEVICE_AUDIT_MAX = 256;
    /// Bytes of a console line in the audit; longer ones are cut and marked.
    DEVICE_AUDIT_TEXT_MAX = 96;

    /// Reads of loads that are with a disk at the same time; more only wait in its queue.
    LOAD_BUFFERS_MAX = 32;
    /// Operations that a load holds and whose number a capability limits; more than a GPU's quota has.
    LOAD_TICKETS_MAX = 256;
    /// Operations of a load in one step; loads of others have as many in the same step.
    LOAD_OPERATIONS_A_STEP = 32;

    /// Rules of the firewall, and places in its table of verdicts: 64 buckets of 4 slots.
    FIREWALL_RULES_MAX = 256;
    /// Flows that the firewall follows: what TCP, UDP and echo of a busy node need at the same time.
    FLOWS_MAX = 1024;
    /// Flows of one tenant, so that all seven together leave some for the kernel.
    FLOWS_TENANT_MAX = 128;
    /// Ports that services offer to the outside at the same time.
    FIREWALL_OFFERS_MAX = 128;

    /// Interfaces: the loopback, one a port for the kernel, one a tenant.
    INTERFACES_MAX = 1 + NETWORK_PORTS_MAX + TENANTS_MAX;
    /// IPv4 addresses of one interface.
    IPV4_ADDRESSES_MAX = 4;
    /// IPv6 addresses of one interface: link-local, and one a prefix that routers announce.
    IPV6_ADDRESSES_MAX = 8;
    /// Routers that one interface remembers from their advertisements.
    ROUTERS_MAX = 4;
    /// Name servers that one interface remembers from router advertisements.
    ROUTER_NAME_SERVERS_MAX = 4;
    /// Routes of all interfaces; the prefixes and the default routes of each.
    ROUTES_MAX = 64;
    /// Neighbours with or without a known hardware address, of all interfaces.
    NEIGHBOURS_MAX = 256;
    /// Neighbours that are being asked for; a flood of strange addresses fills no more.
    NEIGHBOURS_ASKED_MAX = 64;
    /// Paths known to carry less than their first link.
    PATH_MTUS_MAX = 64;
    /// Frames of one port that are taken in one tick; the rest waits in the device's ring.
    FRAMES_A_TICK_MAX = 128;
    /// Frames on their way from the machine to itself.
    LOOPBACK_FRAMES_MAX = 64;
    /// Bytes of such a frame: a TCP segment of a page.
    LOOPBACK_FRAME_BYTES = 4096;
    /// Datagrams that are put together from fragments or cut into some.
    REASSEMBLIES_MAX = 8;
    /// Bytes of the largest datagram in fragments, IP header included.
    DATAGRAM_BYTES_MAX = 16 * 1024;
    /// Pieces with gaps between them of one such datagram.
    REASSEMBLY_PIECES_MAX = 16;
    /// Extension headers of one IPv6 packet; more are an attack.
    EXTENSION_HEADERS_MAX = 8;
    /// ICMP errors that are sent in one second (RFC 1812, RFC 4443 want a bound).
    ICMP_ERRORS_PER_S = 100;
    /// UDP sockets of all tenants.
    UDP_SOCKETS_MAX = 32;
    /// Datagrams that wait for one consumer; half of what one tick brings.
    UDP_QUEUE_MAX = 64;
    /// Datagrams that wait for all consumers, each in a frame of its port.
    UDP_HELD_MAX = 128;
    /// Pings at the same time.
    PINGS_MAX = 8;
    /// Echo requests of one ping whose replies are waited for.
    PING_OUTSTANDING_MAX = 32;

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

    /// Samples of one operation that is measured; the slowest hundredth are two and a half.
    BENCH_SAMPLES = 256;
    /// Tenants that the tables of rights have places for.
    SUBJECT_TENANTS_MAX = 64;
    /// Whose rights are kept: tenants, four consoles, clients of the interface with and without a token, two to spare.
    SUBJECTS_MAX = SUBJECT_TENANTS_MAX + 8;
    /// Temporary capabilities at the same time.
    GRANTS_MAX = 256;
    /// Capabilities that were handed on, at the same time.
    DELEGATIONS_MAX = 128;
    /// Hands that a capability may go through: whoever was granted it hands it on three times.
    DELEGATION_HOPS_MAX = 3;
    /// Conditions of all grants and delegations: ranges of ports, bandwidths, numbers at a time.
    CONSTRAINTS_MAX = 512;
    /// Grants, revocations and checks that are remembered.
    CAPABILITY_EVENTS_MAX = 1024;
    /// Rules of the security policy.
    POLICY_RULES_MAX = 256;
    /// Contexts that subjects can be in.
    POLICY_CONTEXTS_MAX = 256;
    /// Objects with a label of their own.
    POLICY_LABELS_MAX = 256;
    /// Ways from one context into another.
    POLICY_TRANSITIONS_MAX = 64;
    /// Bytes of a context's or an object's name.
    POLICY_NAME_MAX = 48;
    /// Entries of the audit trail that are kept.
    AUDIT_ENTRIES_MAX = 8192;
    /// Bytes of an entry's sentence; longer ones are cut and marked.
    AUDIT_TEXT_MAX = 96;
    /// Bytes of the name of what an entry is about; with it an entry and its hash take 192 bytes.
    AUDIT_OBJECT_MAX = 36;
    /// Kinds of refusals whose repeats are gathered into one entry at the same time.
    AUDIT_REPEATS_MAX = 16;
    /// Anchors of the audit trail that are remembered.
    AUDIT_ANCHORS_MAX = 16;
    /// Violations of requirements that are remembered.
    COMPLIANCE_VIOLATIONS_MAX = 64;
    /// Registers of measurements that are shown and quoted.
    PCRS_SHOWN = 16;
    /// Events of the measurement log, those of the firmware included.
    EVENT_LOG_EVENTS_MAX = 256;
    /// Bytes of the measurement log; QEMU's firmware has 64 KiB for its own part.
    EVENT_LOG_BYTES_MAX = 96 * 1024;
    /// Bytes of one command to a TPM or of its answer; what every TPM takes is 4 KiB less a header.
    TPM_MESSAGE_BYTES_MAX = 3968;
    /// Work for the TPM that waits.
    TPM_JOBS_MAX = 32;
    /// What people ask of the TPM at the same time: one a console, and some by HTTP.
    TPM_REQUESTS_MAX = 6;
    /// Bytes of the policy's record in the TPM.
    TPM_NV_BYTES = 256;
    /// Bytes of the token of `token=`; 64 hexadecimal digits are 256 bits.
    TOKEN_BYTES_MAX = 64;

    /// HTTP connections at the same time: ten browsers. Each keeps room for a whole request.
    HTTP_CONNECTIONS_MAX = 64;
    /// Bytes of a request's method, target and version.
    HTTP_REQUEST_LINE_MAX = 2048;
    /// Bytes of a request's first line and headers; browsers send cookies of other local servers along.
    HTTP_HEADER_BYTES_MAX = 8 * 1024;
    /// Header lines of one request or answer.
    HTTP_HEADERS_MAX = 64;
    /// Bytes of a request's body: the arguments of one command.
    HTTP_BODY_BYTES_MAX = 2048;
    /// Bytes of the header of an answer of ours.
    HTTP_ANSWER_HEADER_MAX = 768;
    /// Requests that the server remembers for people to look at.
    HTTP_REQUESTS_SHOWN = 32;
    /// Bytes of a request's path that are remembered.
    HTTP_PATH_SHOWN = 64;
    /// Fetches at the same time, and so many more lookups: one a console, the rest by HTTP.
    HTTP_FETCHES_MAX = 4;
    /// Bytes of an address that is to be fetched.
    HTTP_URL_MAX = 1024;
    /// Bytes of a fetched text that are kept to be shown; the rest is counted.
    HTTP_FETCH_SHOWN_BYTES = 16 * 1024;

    /// Commands that run for HTTP requests at the same time; each has a session with its report.
    API_WORKERS_MAX = 4;
    /// Bytes of an answer that a worker holds for a slow client.
    API_ANSWER_BYTES = 16 * 1024;
    /// Refused requests that wait for their entry in the audit trail; more in one tick are counted only.
    API_DENIALS_MAX = 16;
    /// Addresses whose wrong tokens are counted; the one that was quiet longest makes room.
    API_OFFENDERS_MAX = 64;

    /// Name servers that are asked: those of two leases, or of a lease and two routers.
    NAME_SERVERS_MAX = 8;
    /// Names that are being looked up at the same time.
    DNS_LOOKUPS_MAX = 8;
    /// Answers that are remembered; the one that ends first makes room.
    DNS_CACHE_MAX = 64;
    /// Addresses kept of one answer.
    DNS_ADDRESSES_MAX = 8;
    /// Bytes of a name, dots included (RFC 1035, 2.3.4).
    DNS_NAME_MAX = 253;
    /// Bytes of an answer by TCP; longer ones are refused.
    DNS_MESSAGE_MAX = 4096;

    /// DHCP clients, one for each interface of a tenant.
    DHCP_CLIENTS_MAX = TENANTS_MAX;
    /// Events that a DHCP client remembers; enough for two leases with all their troubles.
    DHCP_HISTORY_MAX = 16;
    /// Outputs of one step of a DHCP client; a lease given up and asked for anew has six.
    DHCP_OUTPUTS_MAX = 8;
    /// Bytes of one DHCP option after its parts were joined (RFC 3396).
    DHCP_OPTION_BYTES_MAX = 512;
    /// Routers, name servers and time servers of one lease, each; more are counted.
    LEASE_ADDRESSES_MAX = 4;
    /// Classless static routes of one lease; more are counted.
    LEASE_ROUTES_MAX = 8;
    /// Domains in which a lease wants names to be looked for; more are counted.
    LEASE_DOMAINS_MAX = 4;
    /// Bytes of a host or domain name in a lease; longer ones are ignored and counted.
    LEASE_NAME_MAX = 64;
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
    /// Input devices that are listened to: keyboard, mouse, tablet, twice.
    INPUT_DEVICES_MAX = 6;
    /// Disks with a name; more are left alone and shown as such.
    DISKS_MAX = 8;

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
    /// Scripts that run within each other; deeper is mostly one that runs itself.
    SCRIPT_DEPTH_MAX = 4;
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
    SYMBOLS_BYTES = 512 * 1024;

    /// Connections of the services for measuring; a benchmark's sixteen several times.
    SERVICE_CONNECTIONS_MAX = 64;
}

const _: () =
    assert!(FLOWS_TENANT_MAX * (TENANTS_MAX - 1) < FLOWS_MAX && FLOWS_MAX < u16::MAX as usize);
const _: () = assert!(PCI_FUNCTIONS_MAX <= 64 && HOT_PLUG_SLOTS_MAX <= 64);
const _: () = assert!(TRACE_EVENTS_MAX.is_power_of_two());
const _: () = assert!(SERIAL_TRANSMIT_BYTES >= 4 * LINE_MAX);
const _: () = assert!(SESSION_OUTPUT_BYTES >= 8 * LINE_MAX);
const _: () = assert!(HISTORY_BYTES >= 4 * LINE_MAX && HISTORY_BYTES <= u16::MAX as usize);
const _: () = assert!(PROMPT_MAX >= 2 * SEARCH_MAX);
const _: () = assert!(LINE_TOKENS_MAX >= 2 * WORDS_MAX && LINE_TOKENS_MAX <= LINE_MAX / 2);
const _: () = assert!(OPERATIONS_MAX >= CONSOLES_MAX + DISK_ERRANDS_MAX);
const _: () = assert!(HTTP_HEADER_BYTES_MAX >= 2 * HTTP_REQUEST_LINE_MAX);
const _: () = assert!(HTTP_REQUEST_LINE_MAX >= LINE_MAX && HTTP_BODY_BYTES_MAX >= LINE_MAX);
// An error is answered in one piece: the command and the sentence, most of it escaped.
const _: () = assert!(API_ANSWER_BYTES / 2 >= 3 * (LINE_MAX + REPORT_ERROR_MAX));
const _: () = assert!(THREADS_MAX >= 2 * CORES_MAX);
const _: () = assert!(CONTROL_STACK_BYTES >= STACK_BYTES);
const _: () = assert!(TCP_CHUNKS_MAX < u16::MAX as usize && TCP_CHUNK_BYTES.is_power_of_two());
const _: () = assert!(TCP_CHUNKS_MAX >= 2 * TCP_CONNECTIONS_MAX + TCP_RING_CHUNKS_MAX);
const _: () = assert!(TCP_RING_CHUNKS_MAX * TCP_CHUNK_BYTES <= u16::MAX as usize * (1 << 14));
const _: () = assert!(TCP_DEPARTURE_BYTES_MAX + 120 <= u16::MAX as usize);
