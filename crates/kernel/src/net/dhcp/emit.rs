//! Writes a message into the bytes of a frame.

use super::options::code;
use super::parameters::Parameters;
use super::repr::{COOKIE, HEADER_BYTES, MESSAGE_BYTES_LEAST, Repr};
use crate::base::fixed::Full;
use core::net::Ipv4Addr;

impl Repr {
    /// Writes the message and says how long it is; `Full` when the bytes are too few.
    ///
    /// A client's message fits `CLIENT_MESSAGE_BYTES_MAX`.
    pub fn emit(&self, bytes: &mut [u8]) -> Result<usize, Full> {
        let (header, options) = bytes.split_at_mut_checked(HEADER_BYTES).ok_or(Full)?;
        self.emit_header(header);
        let mut writer = Writer {
            rest: options,
            written: HEADER_BYTES,
        };
        self.emit_options(&mut writer)?;
        self.parameters.emit(&mut writer)?;
        writer.bytes(&[code::END])?;
        while writer.written < MESSAGE_BYTES_LEAST {
            writer.bytes(&[code::PAD])?;
        }
        Ok(writer.written)
    }

    fn emit_header(&self, header: &mut [u8]) {
        let operation = if self.kind.is_of_server() { 2 } else { 1 };
        let flags: u16 = if self.is_broadcast { 0x8000 } else { 0 };
        header.fill(0);
        header[..4].copy_from_slice(&[operation, 1, 6, 0]);
        header[4..8].copy_from_slice(&self.transaction.to_be_bytes());
        header[8..10].copy_from_slice(&self.seconds.to_be_bytes());
        header[10..12].copy_from_slice(&flags.to_be_bytes());
        header[12..16].copy_from_slice(&self.client_address.octets());
        header[16..20].copy_from_slice(&self.your_address.octets());
        header[20..24].copy_from_slice(&self.next_server.octets());
        header[24..28].copy_from_slice(&self.relay.octets());
        header[28..34].copy_from_slice(&self.hardware_address);
        header[236..240].copy_from_slice(&COOKIE);
    }

    fn emit_options(&self, writer: &mut Writer<'_>) -> Result<(), Full> {
        writer.option(code::MESSAGE_TYPE, &[self.kind as u8])?;
        writer.text(code::CLIENT_ID, &self.client_id)?;
        writer.address(code::REQUESTED_ADDRESS, self.requested_address)?;
        writer.seconds(code::LEASE_TIME, self.lease_seconds)?;
        writer.address(code::SERVER, self.server)?;
        writer.short(code::MESSAGE_BYTES_MAX, self.message_bytes_max)?;
        writer.text(code::VENDOR_CLASS, self.vendor_class.as_bytes())?;
        writer.text(code::PARAMETER_LIST, &self.parameter_list)?;
        writer.text(code::MESSAGE, self.message.as_bytes())?;
        writer.seconds(code::RENEW_TIME, self.renew_seconds)?;
        writer.seconds(code::REBIND_TIME, self.rebind_seconds)?;
        if self.is_rapid_commit {
            writer.option(code::RAPID_COMMIT, &[])?;
        }
        Ok(())
    }
}

impl Parameters {
    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), Full> {
        writer.address(code::SUBNET_MASK, self.subnet_mask)?;
        // Before the routers, which it replaces (RFC 3442).
        self.emit_routes(writer)?;
        writer.addresses(code::ROUTERS, &self.routers)?;
        writer.addresses(code::NAME_SERVERS, &self.name_servers)?;
        writer.text(code::HOST_NAME, self.host_name.as_bytes())?;
        writer.text(code::DOMAIN_NAME, self.domain_name.as_bytes())?;
        writer.short(code::INTERFACE_MTU, self.mtu)?;
        writer.address(code::BROADCAST_ADDRESS, self.broadcast_address)?;
        writer.addresses(code::TIME_SERVERS, &self.time_servers)?;
        self.emit_search_domains(writer)
    }

    fn emit_routes(&self, writer: &mut Writer<'_>) -> Result<(), Full> {
        let length = |prefix: u8| usize::from(prefix.div_ceil(8));
        let total = self.routes.iter().map(|route| 5 + length(route.prefix));
        let total = total.sum();
        if total == 0 {
            return Ok(());
        }
        writer.begin(code::ROUTES, total)?;
        for route in &self.routes {
            writer.bytes(&[route.prefix])?;
            writer.bytes(&route.destination.octets()[..length(route.prefix)])?;
            writer.bytes(&route.router.octets())?;
        }
        Ok(())
    }

    fn emit_search_domains(&self, writer: &mut Writer<'_>) -> Result<(), Full> {
        let total = self.search_domains.iter().map(|name| name.len() + 2).sum();
        if total == 0 {
            return Ok(());
        }
        writer.begin(code::DOMAIN_SEARCH, total)?;
        for name in &self.search_domains {
            for label in name.split('.') {
                writer.bytes(&[label.len() as u8])?;
                writer.bytes(label.as_bytes())?;
            }
            writer.bytes(&[0])?;
        }
        Ok(())
    }
}

struct Writer<'a> {
    rest: &'a mut [u8],
    written: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let rest = core::mem::take(&mut self.rest);
        let (place, rest) = rest.split_at_mut_checked(bytes.len()).ok_or(Full)?;
        place.copy_from_slice(bytes);
        self.rest = rest;
        self.written += bytes.len();
        Ok(())
    }

    /// The head of an option; one that is too long for its length byte is not written.
    fn begin(&mut self, code: u8, length: usize) -> Result<(), Full> {
        let length = u8::try_from(length).map_err(|_| Full)?;
        self.bytes(&[code, length])
    }

    fn option(&mut self, code: u8, value: &[u8]) -> Result<(), Full> {
        self.begin(code, value.len())?;
        self.bytes(value)
    }

    /// Nothing when it is empty.
    fn text(&mut self, code: u8, value: &[u8]) -> Result<(), Full> {
        match value {
            [] => Ok(()),
            value => self.option(code, value),
        }
    }

    fn address(&mut self, code: u8, value: Option<Ipv4Addr>) -> Result<(), Full> {
        value.map_or(Ok(()), |value| self.option(code, &value.octets()))
    }

    fn seconds(&mut self, code: u8, value: Option<u32>) -> Result<(), Full> {
        value.map_or(Ok(()), |value| self.option(code, &value.to_be_bytes()))
    }

    fn short(&mut self, code: u8, value: Option<u16>) -> Result<(), Full> {
        value.map_or(Ok(()), |value| self.option(code, &value.to_be_bytes()))
    }

    fn addresses(&mut self, code: u8, values: &[Ipv4Addr]) -> Result<(), Full> {
        if values.is_empty() {
            return Ok(());
        }
        self.begin(code, 4 * values.len())?;
        values
            .iter()
            .try_for_each(|value| self.bytes(&value.octets()))
    }
}
