//! The limits that operators set, with units.

use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;

use crate::Limits;

/// Limits on the command line. What is not given is as the program has it.
#[derive(Args, Clone, Debug, Default)]
#[non_exhaustive]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Bytes of one incoming message, such as `64MiB`
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_message: Option<usize>,
    /// Bytes of one incoming WebSocket frame; a message of protocol 1 is one
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_frame: Option<usize>,
    /// Bytes of events that may wait for a slow client
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_queue: Option<usize>,
    /// Bytes that are kept for all clients that lost their connection and may come back
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_resume: Option<usize>,
    /// Bytes that all clients together may make the server hold
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_held: Option<usize>,
    /// Threads for handlers that block
    #[arg(long, value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    pub max_blocking: Option<usize>,
    /// Calls of one client that are not answered yet
    #[arg(long, value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    pub max_calls: Option<usize>,
    /// Connections in all
    #[arg(long, value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    pub max_clients: Option<usize>,
    /// Connections of one address (of IPv6: a /64)
    #[arg(long, value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    pub max_clients_per_address: Option<usize>,
    /// Connections of one address that have not said hello
    #[arg(long, value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    pub max_unauthenticated_per_address: Option<usize>,
    /// From a connection to its request, such as `10s`; also how long it may be idle before another
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub handshake_timeout: Option<Duration>,
    /// From the WebSocket handshake to a good hello
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub hello_timeout: Option<Duration>,
    /// Silence after which a client is pinged, and after another it is gone
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub ping: Option<Duration>,
    /// How long a client may take nothing of what is sent to it
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub write_timeout: Option<Duration>,
    /// How long calls in flight may take when the server ends
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub grace: Option<Duration>,
}

fn bytes(text: &str) -> Result<usize, String> {
    let size = text.parse::<ByteSize>().ok().and_then(|size| usize::try_from(size.as_u64()).ok());
    size.ok_or_else(|| "not a size; write one like `64MiB`, `500kB` or `4096`".to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text.trim());
    time.map_err(|_| "not a time with its unit; write one like `500ms`, `90s` or `1m 30s`".to_owned())
}

fn number(text: &str) -> Result<usize, String> {
    text.trim().parse().map_err(|_| "not a number; write one like `64`".to_owned())
}

impl LimitOptions {
    pub(super) fn apply(&self, limits: &mut Limits) {
        fn set<T: Copy>(limit: &mut T, option: Option<T>) {
            *limit = option.unwrap_or(*limit);
        }
        set(&mut limits.message_bytes, self.max_message);
        set(&mut limits.frame_bytes, self.max_frame);
        set(&mut limits.outbox_bytes, self.max_queue);
        set(&mut limits.resume_total_bytes, self.max_resume);
        set(&mut limits.held_bytes, self.max_held);
        set(&mut limits.blocking_threads, self.max_blocking);
        set(&mut limits.calls_in_flight, self.max_calls);
        set(&mut limits.connections, self.max_clients);
        set(&mut limits.address_connections, self.max_clients_per_address);
        set(&mut limits.address_unauthenticated, self.max_unauthenticated_per_address);
        set(&mut limits.handshake, self.handshake_timeout);
        set(&mut limits.hello, self.hello_timeout);
        set(&mut limits.ping, self.ping);
        set(&mut limits.pong, self.ping);
        set(&mut limits.write_stall, self.write_timeout);
        set(&mut limits.grace, self.grace);
    }
}
