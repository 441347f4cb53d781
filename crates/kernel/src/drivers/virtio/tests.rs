//! What a queue promises: order, wishes kept, no belief in its device.

use super::fake::{FakeDevice, used};
use super::features::EVENT_INDEX;
use super::lie::DeviceLie;
use super::queue::{Piece, Queue};
use super::transport::Transport;
use crate::base::fixed::Full;
use crate::base::prng::Prng;
use crate::memory::SharedMemory;
use std::boxed::Box;
use std::collections::BTreeMap;

struct Rig {
    device: FakeDevice,
    transport: Box<dyn Transport>,
    queue: Queue,
    memory: SharedMemory,
}

fn rig(size: u16, has_event_index: bool) -> Rig {
    let device = FakeDevice::new(9, EVENT_INDEX, &[], &[size]);
    let mut transport = device.transport();
    let queue = Queue::start(transport.as_mut(), 0, 256, has_event_index).unwrap();
    Rig {
        device,
        transport,
        queue,
        memory: SharedMemory::allocate(4096).unwrap(),
    }
}

impl Rig {
    fn piece(&self, bytes: u32) -> Piece {
        Piece {
            device_address: self.memory.device_address(),
            bytes,
        }
    }

    /// A request that lets the device read 4 bytes and write 8.
    fn ask(&mut self, token: u32) -> Result<(), Full> {
        let (readable, writable) = (self.piece(4), self.piece(8));
        self.queue.add(&[readable], &[writable], token)
    }
}

#[test]
fn what_was_asked_reaches_the_device_and_its_answer_the_asker() {
    let mut rig = rig(4, true);
    rig.memory.write_bytes(0, b"ping");
    rig.ask(77).unwrap();
    assert!(rig.device.take(0).is_none());
    rig.queue.flush(rig.transport.as_mut());
    let request = rig.device.take(0).unwrap();
    assert_eq!(request.readable, b"ping");
    assert_eq!(rig.queue.pop(), Ok(None));
    rig.device.answer(0, &request, b"pong");
    assert_eq!(rig.queue.pop(), Ok(used(77, 4)));
    assert_eq!(rig.memory.read_u8(1), b'o');
    assert_eq!((rig.queue.space(), rig.queue.in_flight()), (4, 0));
}

#[test]
fn a_full_queue_refuses_and_is_whole_again_after_its_answers() {
    let mut rig = rig(4, true);
    rig.ask(1).unwrap();
    rig.ask(2).unwrap();
    assert_eq!(rig.ask(3), Err(Full));
    assert_eq!(rig.queue.view().refused, 1);
    rig.queue.publish();
    for _ in 0..2 {
        let request = rig.device.take(0).unwrap();
        rig.device.answer(0, &request, b"");
    }
    assert_eq!(rig.queue.pop(), Ok(used(1, 0)));
    assert_eq!(rig.queue.pop(), Ok(used(2, 0)));
    assert_eq!(rig.queue.add(&[], &[], 0), Err(Full));
    let four = [rig.piece(1); 4];
    assert_eq!(rig.queue.add(&four, &[], 0), Ok(()));
}

#[test]
fn the_device_is_told_once_a_batch_and_only_if_it_wants() {
    let mut rig = rig(8, true);
    rig.ask(1).unwrap();
    rig.ask(2).unwrap();
    rig.queue.flush(rig.transport.as_mut());
    rig.queue.flush(rig.transport.as_mut());
    assert_eq!(rig.device.notifications(0), 1);
    // It has seen two, and wants to hear of the fourth.
    rig.device.want_notification_at(0, 3);
    rig.ask(3).unwrap();
    rig.queue.flush(rig.transport.as_mut());
    assert_eq!(rig.device.notifications(0), 1);
    rig.ask(4).unwrap();
    rig.queue.flush(rig.transport.as_mut());
    assert_eq!(rig.device.notifications(0), 2);
}

#[test]
fn an_answer_between_the_look_and_the_wish_is_not_overslept() {
    for has_event_index in [true, false] {
        let mut rig = rig(8, has_event_index);
        rig.queue.refuse_interrupts();
        rig.ask(1).unwrap();
        rig.queue.publish();
        assert_eq!(rig.queue.pop(), Ok(None));
        let request = rig.device.take(0).unwrap();
        rig.device.answer(0, &request, b"");
        assert_eq!(rig.queue.want_interrupt(), Ok(true));
        assert_eq!(rig.queue.pop(), Ok(used(1, 0)));
        assert_eq!(rig.queue.want_interrupt(), Ok(false));
        if has_event_index {
            assert_eq!(rig.device.interrupt_wanted_at(0), Some(1));
        }
    }
}

#[test]
fn every_lie_of_the_used_ring_is_named() {
    let lie_of = |act: &dyn Fn(&FakeDevice)| {
        let mut rig = rig(8, true);
        rig.ask(5).unwrap();
        rig.queue.publish();
        act(&rig.device);
        let lie = rig.queue.pop().unwrap_err();
        // It is caught again however often one looks.
        assert_eq!(rig.queue.pop(), Err(lie));
        assert_eq!(rig.queue.in_flight(), 1);
        assert_eq!(rig.queue.drain(), Some(5));
        assert_eq!(rig.queue.drain(), None);
        lie.field()
    };
    assert_eq!(lie_of(&|device| device.push_used(0, 8, 0)), "used id");
    assert_eq!(
        lie_of(&|device| device.push_used(0, u32::MAX, 0)),
        "used id"
    );
    // The second descriptor of the chain is no head.
    assert_eq!(lie_of(&|device| device.push_used(0, 1, 0)), "used id");
    assert_eq!(lie_of(&|device| device.push_used(0, 0, 9)), "used length");
    assert_eq!(lie_of(&|device| device.set_used_index(0, 2)), "used index");
    let backwards = |device: &FakeDevice| device.set_used_index(0, u16::MAX);
    assert_eq!(lie_of(&backwards), "used index");
}

#[test]
fn an_answer_that_is_given_twice_is_a_lie() {
    let mut rig = rig(8, true);
    rig.ask(1).unwrap();
    rig.ask(2).unwrap();
    rig.queue.publish();
    rig.device.push_used(0, 0, 0);
    rig.device.push_used(0, 0, 0);
    assert_eq!(rig.queue.pop(), Ok(used(1, 0)));
    let lie = DeviceLie::UsedIdle { queue: 0, id: 0 };
    assert_eq!(rig.queue.pop(), Err(lie));
}

#[test]
fn a_queue_size_that_cannot_be_is_refused() {
    for size in [0, 3, 255, u16::MAX] {
        let device = FakeDevice::new(9, 0, &[], &[size]);
        let mut transport = device.transport();
        assert!(Queue::start(transport.as_mut(), 0, 256, false).is_err());
        assert!(Queue::start(transport.as_mut(), 1, 256, false).is_err());
    }
}

#[test]
fn requests_of_all_shapes_in_any_order_come_back_once() {
    let rounds = 40_000;
    for has_event_index in [true, false] {
        let mut rig = rig(16, has_event_index);
        let mut prng = Prng::new(11);
        let mut at_device = std::vec::Vec::new();
        let mut awaited = BTreeMap::new();
        let (mut asked, mut wakes) = (0u32, 0u64);
        for _ in 0..rounds {
            match prng.below(3) {
                0 => {
                    let shape = [(); 2].map(|()| prng.below(4) as usize);
                    let pieces = [rig.piece(16); 4];
                    let (readable, writable) = (&pieces[..shape[0]], &pieces[..shape[1]]);
                    if rig.queue.add(readable, writable, asked).is_ok() {
                        awaited.insert(asked, 16 * shape[1] as u32);
                        asked += 1;
                    }
                    wakes += u64::from(rig.queue.publish());
                }
                1 => {
                    at_device.extend(rig.device.take(0));
                    let next = rig.device.state().queues[0].next_available;
                    rig.device.want_notification_at(0, next);
                    if !at_device.is_empty() && prng.one_in(2) {
                        let index = prng.below(at_device.len() as u64) as usize;
                        let request = at_device.swap_remove(index);
                        rig.device.answer(0, &request, &[1; 64]);
                    }
                }
                _ => {
                    if let Some(used) = rig.queue.pop().unwrap() {
                        assert_eq!(awaited.remove(&used.token), Some(used.bytes.min(64)));
                    }
                }
            }
            assert_eq!(usize::from(rig.queue.in_flight()), awaited.len());
        }
        assert!(asked > 1_000 && wakes > 100, "{asked} {wakes}");
    }
}

#[test]
fn a_ring_of_noise_ends_in_a_lie_or_an_answer_and_nothing_else() {
    let mut prng = Prng::new(3);
    for _ in 0..2_000 {
        let mut rig = rig(8, true);
        for token in 0..3 {
            rig.ask(token).unwrap();
        }
        rig.queue.publish();
        for _ in 0..prng.below(8) {
            match prng.below(3) {
                0 => rig.device.set_used_index(0, prng.below(8) as u16),
                1 => rig.device.set_used_index(0, prng.next_u64() as u16),
                _ => rig
                    .device
                    .push_used(0, prng.below(12) as u32, prng.below(12) as u32),
            }
            for _ in 0..9 {
                let before = rig.queue.in_flight();
                match rig.queue.pop() {
                    Ok(Some(_)) => assert_eq!(rig.queue.in_flight(), before - 1),
                    _ => assert_eq!(rig.queue.in_flight(), before),
                }
            }
        }
        while rig.queue.drain().is_some() {}
        assert_eq!(rig.queue.space(), 8);
    }
}
