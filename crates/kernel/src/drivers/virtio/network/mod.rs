//! A virtio network card as a port: frames are windows in buffers that it shares.
//!
//! One buffer a frame, with the device's header in front: what arrives is in one piece,
//! joined segments of 64 KiB included, and what is sent is sent from where it was built.
//! Invariant: every buffer is on a shelf, in one of the two queues, or with the caller.

mod frames;
mod header;
mod receive;
mod send;
mod settings;

use crate::base::network_port::{Frame, NetworkPort, Offload, PortCounters, PortFacts};
use crate::base::time::Instant;
use crate::drivers::devices::driver::{Driver, Event};
use crate::drivers::virtio::lie::DeviceLie;
use crate::drivers::virtio::negotiation::finish;
use crate::drivers::virtio::queue::QueueView;
use crate::drivers::virtio::transport::{StartError, Transport};
use crate::limits::{
    NETWORK_PORTS_MAX, NETWORK_RECEIVE_FRAMES_MAX, NETWORK_SEND_FRAMES_MAX,
    NETWORK_SEND_SEGMENTS_MAX,
};
use crate::memory;
use alloc::boxed::Box;
use frames::{Frames, LARGE_BYTES, Plan};
use receive::Receiver;
use send::Sender;
use settings::Settings;

/// The number of this kind of device.
pub const KIND: u16 = 1;

const NAMES: [&str; NETWORK_PORTS_MAX] = ["eth0", "eth1", "eth2", "eth3"];
/// Bytes of the largest segment that is handed over to be cut, headers included.
const SEGMENT_FRAME_BYTES_MAX: usize = 65_535;

/// The part that lives as long as a device does.
struct Session {
    transport: Box<dyn Transport>,
    settings: Settings,
    receiver: Receiver,
    sender: Sender,
    /// What the device was caught at; the table of devices resets it then.
    lie: Option<DeviceLie>,
    /// Is the device not to be spoken to any more?
    is_stopped: bool,
}

pub struct NetworkCard {
    facts: PortFacts,
    frames: Frames,
    counters: PortCounters,
    session: Option<Session>,
}

impl NetworkCard {
    /// Port number `place`, without a card; `None` when there is no such port.
    pub fn new(place: usize) -> Option<Self> {
        let facts = PortFacts {
            name: NAMES.get(place)?,
            hardware_address: [0; 6],
            is_link_up: false,
            mtu: 0,
            completes_checksums: false,
            segments_bytes_max: 0,
        };
        Some(Self {
            facts,
            frames: Frames::default(),
            counters: PortCounters::default(),
            session: None,
        })
    }

    /// The buffers that would suit what the card offers.
    const fn plan(offered: u64) -> Plan {
        Plan {
            packet_bytes: settings::USUAL_MTU,
            receives_large: Settings::offers_joined_segments(offered),
            sends_large: Settings::offers_to_cut_segments(offered),
            receive: NETWORK_RECEIVE_FRAMES_MAX,
            send_small: NETWORK_SEND_FRAMES_MAX,
            send_large: NETWORK_SEND_SEGMENTS_MAX,
        }
    }

    fn start(&mut self, mut transport: Box<dyn Transport>) -> Result<Session, StartError> {
        let device = transport.as_mut();
        let free_bytes = memory::free_bytes().saturating_add(self.frames.bytes());
        let offered = device.offered_features();
        let mut plan = Self::plan(offered).fit(free_bytes);
        let settings = Settings::agree(device, offered, plan.receives_large)?;
        plan.packet_bytes = settings.mtu;
        plan.receives_large &= settings.joins_segments();
        plan.sends_large &= settings.cuts_segments();
        self.frames.prepare(&plan)?;
        let receiver = Receiver::start(device, &settings, plan.receive)?;
        let sender = Sender::start(device, &settings)?;
        finish(device);
        self.facts.hardware_address = settings.hardware_address;
        self.facts.mtu = settings.mtu;
        self.facts.is_link_up = settings.is_link_up;
        self.facts.completes_checksums = settings.completes_checksums();
        self.facts.segments_bytes_max = match plan.sends_large {
            true => SEGMENT_FRAME_BYTES_MAX.min(LARGE_BYTES),
            false => 0,
        };
        let mut session = Session {
            transport,
            settings,
            receiver,
            sender,
            lie: None,
            is_stopped: false,
        };
        session.receiver.refill(&mut self.frames);
        session.receiver.publish(session.transport.as_mut());
        Ok(session)
    }

    /// The session, while the device is to be spoken to.
    fn running(session: &mut Option<Session>) -> Option<&mut Session> {
        session
            .as_mut()
            .filter(|session| !session.is_stopped && session.lie.is_none())
    }
}

impl Driver for NetworkCard {
    fn name(&self) -> &'static str {
        "virtio-net"
    }

    fn label(&self) -> &'static str {
        self.facts.name
    }

    fn attach(&mut self, transport: Box<dyn Transport>, _: Instant) -> Result<(), StartError> {
        self.session = Some(self.start(transport)?);
        Ok(())
    }

    fn poll(&mut self, _: Instant, event: Event) -> Result<(), DeviceLie> {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        if let Some(lie) = session.lie {
            return Err(lie);
        }
        if event.has_config_changed && !session.is_stopped {
            let transport = session.transport.as_mut();
            self.facts.is_link_up = session.settings.read_link(transport);
        }
        Ok(())
    }

    fn rest(&mut self) -> Result<bool, DeviceLie> {
        let Some(session) = Self::running(&mut self.session) else {
            return Ok(false);
        };
        if !session.receiver.is_full() {
            // What was sent is free again, and may have been received in first.
            session.sender.reclaim(&mut self.frames)?;
        }
        session.receiver.refill(&mut self.frames);
        session.receiver.publish(session.transport.as_mut());
        let has_received = session.receiver.rest()?;
        let has_sent = session.sender.rest()?;
        Ok(has_received || has_sent)
    }

    fn stop(&mut self) {
        self.facts.is_link_up = false;
        if let Some(session) = &mut self.session {
            session.is_stopped = true;
        }
    }

    fn reclaim(&mut self) {
        if let Some(mut session) = self.session.take() {
            session.receiver.drain(&mut self.frames);
            session.sender.drain(&mut self.frames);
            self.frames.set_wanted(0);
        }
    }

    fn visit_queues(&self, visit: &mut dyn FnMut(&QueueView)) {
        if let Some(session) = &self.session {
            visit(&session.receiver.view());
            visit(&session.sender.view());
        }
    }

    fn network_port(&mut self) -> Option<&mut dyn NetworkPort> {
        Some(self)
    }
}

impl NetworkPort for NetworkCard {
    fn facts(&self) -> PortFacts {
        self.facts
    }

    fn receive(&mut self) -> Option<Frame> {
        let session = Self::running(&mut self.session)?;
        match session
            .receiver
            .receive(&mut self.frames, &mut self.counters)
        {
            Ok(frame) => frame,
            Err(lie) => {
                session.lie = Some(lie);
                None
            }
        }
    }

    fn recycle(&mut self, frame: Frame) {
        self.frames.put(frame.into_buffer());
        if let Some(session) = Self::running(&mut self.session) {
            session.receiver.refill(&mut self.frames);
            session.receiver.publish_batch(session.transport.as_mut());
        }
    }

    fn take_frame(&mut self, bytes: usize) -> Option<Frame> {
        let frame = self.frames.take_to_send(bytes);
        if frame.is_some() {
            return frame;
        }
        // What the device has sent meanwhile may be enough.
        let session = Self::running(&mut self.session)?;
        match session.sender.reclaim(&mut self.frames) {
            Ok(()) => {
                let frame = self.frames.take_to_send(bytes);
                session.sender.set_awaited(frame.is_none());
                frame
            }
            Err(lie) => {
                session.lie = Some(lie);
                None
            }
        }
    }

    fn transmit(&mut self, frame: Frame, offload: Offload) {
        let is_link_up = self.facts.is_link_up;
        let session = Self::running(&mut self.session).filter(|_| is_link_up);
        let Some(session) = session else {
            self.counters.send_refused += 1;
            return self.frames.put(frame.into_buffer());
        };
        let bytes = frame.len() as u64;
        match session.sender.send(frame, offload, &mut self.frames) {
            Ok(true) => {
                self.counters.sent_frames += 1;
                self.counters.sent_bytes += bytes;
            }
            Ok(false) => self.counters.send_refused += 1,
            Err(lie) => session.lie = Some(lie),
        }
    }

    fn flush(&mut self) {
        if let Some(session) = Self::running(&mut self.session) {
            session.receiver.publish(session.transport.as_mut());
            session.sender.flush(session.transport.as_mut());
        }
    }

    fn counters(&self) -> PortCounters {
        self.counters
    }
}
