//! What a disk's driver promises, also with a device that breaks its own.

use super::*;
use crate::base::disk::{Payload, Pieces};
use crate::drivers::virtio::fake::{FakeDevice, FakeRequest};
use crate::memory::allocate_buffer;
use std::vec::Vec;

const SECTORS: u64 = 1000;
const FLUSH: u64 = 1 << 9;
const READ_ONLY: u64 = 1 << 5;
const BLOCK_SIZE: u64 = 1 << 6;
const SIZE_MAX: u64 = 1 << 1;
const SEGMENTS_MAX: u64 = 1 << 2;
const DISCARD: u64 = 1 << 13;
const WRITE_ZEROES: u64 = 1 << 14;

/// The fields of a disk's configuration, each at its place.
struct Fields {
    capacity: u64,
    size_max: u32,
    segments_max: u32,
    block_size: u32,
    discard_max: u32,
    discard_alignment: u32,
    zeroes_max: u32,
}

const USUAL: Fields = Fields {
    capacity: SECTORS,
    size_max: 4096,
    segments_max: 4,
    block_size: 512,
    discard_max: 100,
    discard_alignment: 8,
    zeroes_max: 100,
};

impl Fields {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = std::vec![0; 60];
        bytes[..8].copy_from_slice(&self.capacity.to_le_bytes());
        let words = [
            (8, self.size_max),
            (12, self.segments_max),
            (20, self.block_size),
            (36, self.discard_max),
            (44, self.discard_alignment),
            (48, self.zeroes_max),
        ];
        for (at, word) in words {
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

fn attached(features: u64, fields: &Fields) -> Result<(FakeDevice, BlockDriver), StartError> {
    let device = FakeDevice::new(2, features, &fields.bytes(), &[256]);
    let mut driver = BlockDriver::new(0).unwrap();
    driver.attach(device.transport(), Instant::ZERO)?;
    Ok((device, driver))
}

fn rig(features: u64) -> (FakeDevice, BlockDriver) {
    attached(features, &USUAL).unwrap()
}

fn request(operation: DiskOperation, sector: u64, sectors: u64) -> DiskRequest {
    let has_data = matches!(operation, DiskOperation::Read | DiskOperation::Write);
    DiskRequest {
        tag: 7,
        operation,
        sector,
        sectors,
        data: has_data.then(|| allocate_buffer(4096).unwrap()).into(),
    }
}

fn poll(driver: &mut BlockDriver) -> Result<(), DeviceLie> {
    driver.poll(Instant::ZERO, Event::default())
}

fn submit(driver: &mut BlockDriver, request: DiskRequest) {
    driver.submit(request).unwrap();
    driver.kick();
}

fn submit_error(driver: &mut BlockDriver, request: DiskRequest) -> Option<DiskError> {
    driver.submit(request).err().map(|(error, _)| error)
}

/// What the device answers: the data of a read, then the status.
fn answer(device: &FakeDevice, request: &FakeRequest, data: &[u8], status: u8) {
    let mut bytes = data.to_vec();
    bytes.push(status);
    device.answer(0, request, &bytes);
}

#[test]
fn a_read_brings_the_sectors_and_says_where_they_are() {
    let (device, mut driver) = rig(0);
    submit(&mut driver, request(DiskOperation::Read, 5, 2));
    let asked = device.take(0).unwrap();
    assert_eq!(asked.readable[..4], [0; 4]);
    assert_eq!(asked.readable[8..], 5u64.to_le_bytes());
    let data: Vec<u8> = (0..1024).map(|index| index as u8).collect();
    answer(&device, &asked, &data, STATUS_OK);
    poll(&mut driver).unwrap();
    let done = driver.completed().unwrap();
    assert_eq!((done.request.tag, &done.result), (7, &Ok(())));
    assert_eq!(done.request.data.into_one().unwrap().bytes()[..1024], data);
    assert_eq!(driver.view().read_bytes, 1024);
    assert!(driver.completed().is_none());
}

#[test]
fn a_write_hands_over_exactly_its_sectors() {
    let (device, mut driver) = rig(0);
    let mut write = request(DiskOperation::Write, 9, 1);
    write.data.visit_mut(4096, &mut |bytes| bytes.fill(0x5a));
    submit(&mut driver, write);
    let asked = device.take(0).unwrap();
    assert_eq!(asked.readable[..4], 1u32.to_le_bytes());
    assert_eq!(asked.readable[16..], [0x5a; 512]);
    answer(&device, &asked, &[], STATUS_OK);
    poll(&mut driver).unwrap();
    assert_eq!(driver.completed().unwrap().result, Ok(()));
}

#[test]
fn a_flush_waits_for_the_device_where_there_is_a_cache() {
    let (device, mut driver) = rig(FLUSH);
    submit(&mut driver, request(DiskOperation::Flush, 0, 0));
    poll(&mut driver).unwrap();
    assert!(driver.completed().is_none());
    let asked = device.take(0).unwrap();
    assert_eq!(asked.readable[..4], 4u32.to_le_bytes());
    answer(&device, &asked, &[], STATUS_OK);
    poll(&mut driver).unwrap();
    assert_eq!(driver.completed().unwrap().result, Ok(()));
    let (device, mut driver) = rig(0);
    submit(&mut driver, request(DiskOperation::Flush, 0, 0));
    // Nothing interrupts for it, so the driver asks for a tick.
    assert_eq!(driver.next_deadline(), Some(Instant::ZERO));
    assert!(driver.completed().is_some() && device.take(0).is_none());
    assert_eq!(driver.next_deadline(), None);
}

#[test]
fn no_request_has_more_pieces_than_the_queue_has_room_for() {
    let fields = Fields {
        segments_max: 126,
        ..USUAL
    };
    let device = FakeDevice::new(2, SEGMENTS_MAX, &fields.bytes(), &[16]);
    let mut driver = BlockDriver::new(0).unwrap();
    driver.attach(device.transport(), Instant::ZERO).unwrap();
    assert_eq!(driver.facts().pieces_max, 14);
}

#[test]
fn discards_and_zeroes_name_their_sectors() {
    let (device, mut driver) = rig(DISCARD | WRITE_ZEROES);
    for (operation, number) in [
        (DiskOperation::Discard, 11u32),
        (DiskOperation::WriteZeroes, 13),
    ] {
        submit(&mut driver, request(operation, 16, 8));
        let asked = device.take(0).unwrap();
        assert_eq!(asked.readable[..4], number.to_le_bytes());
        assert_eq!(asked.readable[16..24], 16u64.to_le_bytes());
        assert_eq!(asked.readable[24..32], 8u64.to_le_bytes());
        answer(&device, &asked, &[], STATUS_OK);
    }
    poll(&mut driver).unwrap();
    assert_eq!(driver.view().others, 2);
    let crooked = request(DiskOperation::Discard, 17, 8);
    let error = DiskError::OutOfRange { sector: 17 };
    assert_eq!(submit_error(&mut driver, crooked), Some(error));
}

#[test]
fn what_the_disk_cannot_do_never_reaches_it() {
    let (device, mut driver) = rig(READ_ONLY);
    let range = |sector| Some(DiskError::OutOfRange { sector });
    let cases = [
        (DiskOperation::Read, SECTORS, 1, range(SECTORS)),
        (DiskOperation::Read, SECTORS - 1, 2, range(SECTORS - 1)),
        (DiskOperation::Read, u64::MAX, 2, range(u64::MAX)),
        (DiskOperation::Read, 0, 0, range(0)),
        (DiskOperation::Read, 0, 9, range(0)),
        (DiskOperation::Read, 0, u64::MAX, range(0)),
        (DiskOperation::Write, 0, 1, Some(DiskError::ReadOnly)),
        (DiskOperation::Discard, 0, 8, Some(DiskError::ReadOnly)),
    ];
    for (operation, sector, sectors, expected) in cases {
        let error = submit_error(&mut driver, request(operation, sector, sectors));
        assert_eq!(error, expected, "{operation:?} {sector} {sectors}");
    }
    assert!(device.take(0).is_none());
    let (_, mut driver) = rig(0);
    let zeroes = request(DiskOperation::WriteZeroes, 0, 1);
    assert_eq!(
        submit_error(&mut driver, zeroes),
        Some(DiskError::Unsupported)
    );
    let mut bare = request(DiskOperation::Read, 0, 1);
    bare.data = Payload::None;
    assert_eq!(submit_error(&mut driver, bare), range(0));
}

#[test]
fn many_requests_are_in_flight_and_end_in_any_order() {
    let (device, mut driver) = rig(0);
    for tag in 0..BLOCK_REQUESTS_MAX as u64 {
        let mut read = request(DiskOperation::Read, tag, 1);
        read.tag = tag;
        submit(&mut driver, read);
    }
    let more = request(DiskOperation::Read, 0, 1);
    assert_eq!(submit_error(&mut driver, more), Some(DiskError::Busy));
    let mut asked: Vec<_> = core::iter::from_fn(|| device.take(0)).collect();
    asked.reverse();
    for request in &asked {
        let sector = request.readable[8];
        answer(&device, request, &[sector; 512], STATUS_OK);
    }
    poll(&mut driver).unwrap();
    let mut tags = Vec::new();
    while let Some(done) = driver.completed() {
        assert_eq!(
            done.request.data.into_one().unwrap().bytes()[0],
            done.request.tag as u8
        );
        tags.push(done.request.tag);
    }
    assert_eq!(tags.len(), BLOCK_REQUESTS_MAX);
    assert!(tags.is_sorted_by(|left, right| left > right));
    assert_eq!(driver.view().in_flight_high_water, BLOCK_REQUESTS_MAX);
}

#[test]
fn a_request_in_pieces_is_one_to_the_device_and_ends_with_all_of_them() {
    let (device, mut driver) = attached(SEGMENTS_MAX, &USUAL).unwrap();
    assert_eq!(driver.facts().pieces_max, 4);
    let in_pieces = |count: usize| {
        let mut pieces = Box::<Pieces>::default();
        for number in 0..count {
            let mut buffer = allocate_buffer(4096).unwrap();
            buffer.bytes_mut().fill(number as u8);
            pieces.push(buffer, 512 * (number + 1)).unwrap();
        }
        let sectors = (1..=count as u64).sum();
        DiskRequest {
            data: Payload::Many(pieces),
            ..request(DiskOperation::Write, 8, sectors)
        }
    };
    submit(&mut driver, in_pieces(3));
    let asked = device.take(0).unwrap();
    let wanted = [vec![0; 512], vec![1; 1024], vec![2; 1536]].concat();
    assert_eq!(asked.readable[16..], wanted);
    answer(&device, &asked, &[], STATUS_OK);
    poll(&mut driver).unwrap();
    assert_eq!(driver.completed().unwrap().request.data.len(), 3);
    // More than the device takes, and pieces that are not as long as the sectors.
    let error = DiskError::OutOfRange { sector: 8 };
    assert_eq!(submit_error(&mut driver, in_pieces(5)), Some(error));
    let mut short = in_pieces(2);
    short.sectors = 4;
    assert_eq!(submit_error(&mut driver, short), Some(error));
}

#[test]
fn a_failure_of_the_device_is_an_answer_and_no_lie() {
    let (device, mut driver) = rig(0);
    for status in [STATUS_ERROR, STATUS_UNSUPPORTED] {
        submit(&mut driver, request(DiskOperation::Write, 3, 1));
        let asked = device.take(0).unwrap();
        answer(&device, &asked, &[], status);
    }
    poll(&mut driver).unwrap();
    let error = DiskError::Device { sector: 3 };
    assert_eq!(driver.completed().unwrap().result, Err(error));
    assert_eq!(
        driver.completed().unwrap().result,
        Err(DiskError::Unsupported)
    );
    assert_eq!(driver.view().failed, 2);
}

#[test]
fn every_lie_of_an_answer_is_named_and_nothing_is_lost() {
    let lie = |bytes: &[u8]| {
        let (device, mut driver) = rig(0);
        submit(&mut driver, request(DiskOperation::Read, 3, 1));
        let asked = device.take(0).unwrap();
        device.answer(0, &asked, bytes);
        let lie = poll(&mut driver).unwrap_err();
        driver.stop();
        assert_eq!(poll(&mut driver), Ok(()));
        driver.reclaim();
        let done = driver.completed().unwrap();
        assert_eq!(done.result, Err(DiskError::Gone));
        assert!(!done.request.data.is_empty());
        lie.field()
    };
    // No byte written; the status where data should be; a status that there is not.
    assert_eq!(lie(&[]), "request length");
    let mut status = [0; 513];
    assert_eq!(lie(&status[..512]), "request status");
    status[512] = 3;
    assert_eq!(lie(&status), "request status");
    status[512] = 0xff;
    assert_eq!(lie(&status), "request status");
}

#[test]
fn an_impossible_configuration_is_named() {
    let all = SIZE_MAX | BLOCK_SIZE | DISCARD | WRITE_ZEROES;
    let refused = |fields: Fields| match attached(all, &fields) {
        Err(StartError::Lie(lie)) => lie.field(),
        Err(error) => panic!("{error}"),
        Ok(_) => "nothing",
    };
    assert_eq!(refused(USUAL), "nothing");
    for capacity in [0, u64::MAX, 1 << 55] {
        let field = refused(Fields { capacity, ..USUAL });
        assert_eq!(field, "capacity in sectors");
    }
    for block_size in [0, 1, 511, 513, 1 << 17, u32::MAX] {
        let field = refused(Fields {
            block_size,
            ..USUAL
        });
        assert_eq!(field, "block size");
    }
    for size_max in [0, 511] {
        let field = refused(Fields { size_max, ..USUAL });
        assert_eq!(field, "largest segment");
    }
    for most in [0, u32::MAX] {
        let fields = Fields {
            discard_max: most,
            discard_alignment: most,
            zeroes_max: most,
            ..USUAL
        };
        assert_eq!(refused(fields), "nothing");
    }
    let device = FakeDevice::new(2, 0, &[0; 7], &[256]);
    let result = BlockDriver::new(0)
        .unwrap()
        .attach(device.transport(), Instant::ZERO);
    assert!(matches!(result, Err(StartError::Lie(_))));
    let device = FakeDevice::new(2, 0, &USUAL.bytes(), &[2]);
    let result = BlockDriver::new(0)
        .unwrap()
        .attach(device.transport(), Instant::ZERO);
    assert!(matches!(result, Err(StartError::Lacks(_))));
}

#[test]
fn a_disk_that_grows_or_loses_its_mind_is_looked_at_again() {
    let (device, mut driver) = rig(0);
    let changed = Event {
        has_config_changed: true,
        ..Event::default()
    };
    device.state().config[..8].copy_from_slice(&2000u64.to_le_bytes());
    driver.poll(Instant::ZERO, changed).unwrap();
    assert_eq!(driver.facts().sectors, 2000);
    device.state().config[..8].fill(0);
    assert!(driver.poll(Instant::ZERO, changed).is_err());
}

#[test]
fn a_request_that_is_never_answered_ends_its_device() {
    let (_, mut driver) = rig(0);
    assert_eq!(driver.next_deadline(), None);
    submit(&mut driver, request(DiskOperation::Read, 0, 1));
    let deadline = driver.next_deadline().unwrap();
    assert_eq!(deadline, Instant::ZERO + ANSWER_LIMIT);
    let lie = driver.poll(deadline, Event::default()).unwrap_err();
    assert_eq!(lie.field(), "request age in seconds");
}

#[test]
fn a_disk_is_there_again_after_it_was_gone() {
    let (device, mut driver) = rig(0);
    submit(&mut driver, request(DiskOperation::Read, 0, 1));
    device.state().is_gone = true;
    driver.stop();
    let late = request(DiskOperation::Read, 0, 1);
    assert_eq!(submit_error(&mut driver, late), Some(DiskError::Gone));
    driver.reclaim();
    assert!(Driver::disk(&mut driver).is_some());
    assert_eq!(driver.completed().unwrap().result, Err(DiskError::Gone));
    assert!(Driver::disk(&mut driver).is_none());
    let fresh = FakeDevice::new(2, 0, &USUAL.bytes(), &[256]);
    driver.attach(fresh.transport(), Instant::ZERO).unwrap();
    submit(&mut driver, request(DiskOperation::Read, 0, 1));
    assert!(fresh.take(0).is_some());
    assert_eq!(driver.facts().starts, 2);
}

/// Else what the one before was asked for would be asked of the next, and nobody would
/// look what is on it.
#[test]
fn another_disk_in_its_place_is_seen_to_be_another_one() {
    let (_, mut driver) = rig(0);
    let again = |driver: &mut BlockDriver| {
        let fresh = FakeDevice::new(2, 0, &USUAL.bytes(), &[256]);
        driver.reclaim();
        driver.attach(fresh.transport(), Instant::ZERO).unwrap();
    };
    driver.stop();
    again(&mut driver);
    assert!(driver.facts().requests_max > 0, "it was only reset");
    submit(&mut driver, request(DiskOperation::Read, 0, 1));
    driver.stop();
    driver.reclaim();
    again(&mut driver);
    poll(&mut driver).unwrap();
    assert_eq!(driver.completed().unwrap().result, Err(DiskError::Gone));
    assert_eq!(driver.facts().requests_max, 0);
    let due = driver.next_deadline().expect("nothing else wakes it");
    let later = due + Duration::from_nanos(1);
    driver.poll(later, Event::default()).unwrap();
    assert!(driver.facts().requests_max > 0);
    assert_eq!(driver.next_deadline(), None);
}
