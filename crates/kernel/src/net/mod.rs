//! L3: the network, from the frame of a port to the byte of a connection.

pub mod datagrams;
pub mod dns;
pub mod http;
pub mod outbound;
pub mod packet;
pub mod segment;
pub mod stream;
pub mod tcp;
