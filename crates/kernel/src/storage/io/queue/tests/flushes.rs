//! What a flush may claim.

use super::*;

#[test]
fn flushes_that_come_while_one_runs_go_together_as_the_next() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    queue.submit(at(0), flush(Owner::Log)).unwrap();
    queue.step(at(0), Some(&mut disk));
    for owner in [Owner::Log, Owner::Volume, Owner::File] {
        queue.submit(at(1), flush(owner)).unwrap();
    }
    queue.step(at(1), Some(&mut disk));
    assert_eq!(disk.seen.len(), 1);
    let ended = settle(&mut queue, &mut disk, at(2));
    assert_eq!((disk.seen.len(), ended.len()), (2, 4));
}

#[test]
fn after_a_reset_a_flush_does_not_claim_what_may_be_lost() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    queue
        .submit(at(0), request(DiskOperation::Write, 1, 8, 8))
        .unwrap();
    settle(&mut queue, &mut disk, at(0));
    // The write was answered; then the device is reset under a read, and is well again.
    queue
        .submit(at(1), request(DiskOperation::Read, 2, 8, 8))
        .unwrap();
    queue.step(at(1), Some(&mut disk));
    disk.is_reset = true;
    disk.answer(0);
    disk.is_reset = false;
    let done = disk.completed().unwrap();
    queue.on_done(at(1), done);
    let read = settle(&mut queue, &mut disk, at(2));
    assert_eq!(read[0].result, Ok(()), "it is asked for again");
    let result_of = |queue: &mut BlockQueue, disk: &mut Slow, owner| {
        queue.submit(at(3), flush(owner)).unwrap();
        settle(queue, disk, at(3))[0].result
    };
    let gone = Err(IoError::Disk(DiskError::Gone));
    assert_eq!(result_of(&mut queue, &mut disk, Owner::Log), Ok(()));
    assert_eq!(result_of(&mut queue, &mut disk, Owner::Bench), gone);
    assert_eq!(result_of(&mut queue, &mut disk, Owner::Bench), Ok(()));
}

const GONE: Result<(), IoError> = Err(IoError::Disk(DiskError::Gone));

fn write_of(owner: Owner, number: u64) -> IoRequest {
    let mut write = request(DiskOperation::Write, number, 8, 8);
    write.tag.owner = owner;
    write
}

fn flush_of(owner: Owner, number: u64) -> IoRequest {
    let mut asked = flush(owner);
    asked.tag.number = number;
    asked
}

/// What came of this one alone.
fn result_of(queue: &mut BlockQueue, disk: &mut Slow, asked: IoRequest) -> Result<(), IoError> {
    queue.submit(at(9), asked).unwrap();
    let ended = settle(queue, disk, at(9));
    assert_eq!(ended.len(), 1);
    ended[0].result
}

/// Its answer comes, and says this.
fn answer(queue: &mut BlockQueue, disk: &mut Slow, result: Result<(), DiskError>) {
    disk.answer(0);
    let done = disk.completed().unwrap();
    queue.on_done(at(9), DiskDone { result, ..done });
}

#[test]
fn each_log_hears_of_its_own_loss() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    let logs = [0, 1 << 56, 3 << 56];
    for log in logs {
        let write = write_of(Owner::Log, log);
        assert_eq!(result_of(&mut queue, &mut disk, write), Ok(()));
    }
    disk.starts += 1;
    let mut again = |log| result_of(&mut queue, &mut disk, flush_of(Owner::Log, log));
    assert_eq!(logs.map(&mut again), [GONE; 3]);
    assert_eq!(logs.map(&mut again), [Ok(()); 3]);
    assert_eq!(again(2 << 56), Ok(()), "it had written nothing");
}

#[test]
fn a_restart_between_two_requests_is_noticed_too() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    let write = write_of(Owner::File, 1);
    assert_eq!(result_of(&mut queue, &mut disk, write), Ok(()));
    disk.starts += 1;
    let asked = flush(Owner::File);
    assert_eq!(result_of(&mut queue, &mut disk, asked), GONE);
    // Without a cache there was nothing to lose.
    disk.has_write_cache = false;
    let write = write_of(Owner::File, 2);
    assert_eq!(result_of(&mut queue, &mut disk, write), Ok(()));
    disk.starts += 1;
    let asked = flush(Owner::File);
    assert_eq!(result_of(&mut queue, &mut disk, asked), Ok(()));
}

#[test]
fn who_did_not_ask_for_the_flush_that_failed_hears_of_it_with_the_next() {
    for error in [DiskError::Gone, DiskError::Device { sector: 0 }] {
        let (mut queue, mut disk) = (queue(), Slow::new());
        let write = write_of(Owner::File, 1);
        assert_eq!(result_of(&mut queue, &mut disk, write), Ok(()));
        queue.submit(at(1), flush(Owner::Volume)).unwrap();
        queue.step(at(1), Some(&mut disk));
        answer(&mut queue, &mut disk, Err(error));
        let failed = queue.take_done().unwrap();
        assert_eq!(failed.result, Err(IoError::Disk(error)));
        let asked = flush(Owner::Volume);
        assert_eq!(result_of(&mut queue, &mut disk, asked), Ok(()));
        let asked = flush(Owner::File);
        assert_eq!(result_of(&mut queue, &mut disk, asked), GONE);
    }
}

#[test]
fn a_flush_that_a_disk_refuses_does_not_block_the_next_ones() {
    for error in [DiskError::Gone, DiskError::Unsupported, DiskError::Busy] {
        let (mut queue, mut disk) = (queue(), Slow::new());
        disk.refuses = Some(error);
        queue.submit(at(0), flush(Owner::Log)).unwrap();
        queue.step(at(0), Some(&mut disk));
        disk.refuses = None;
        let first = settle(&mut queue, &mut disk, at(2));
        let expected = match error {
            DiskError::Unsupported => Err(IoError::Disk(error)),
            _ => Ok(()),
        };
        assert_eq!((first.len(), first[0].result), (1, expected));
        let asked = flush(Owner::Log);
        assert_eq!(result_of(&mut queue, &mut disk, asked), Ok(()));
    }
}

#[test]
fn what_was_flushed_before_a_restart_is_safe_and_another_disk_has_lost_nothing() {
    let (mut queue, mut disk) = (queue(), Slow::new());
    let (write, asked) = (
        |number| write_of(Owner::File, number),
        || flush(Owner::File),
    );
    assert_eq!(result_of(&mut queue, &mut disk, write(1)), Ok(()));
    assert_eq!(result_of(&mut queue, &mut disk, asked()), Ok(()));
    disk.starts += 1;
    assert_eq!(result_of(&mut queue, &mut disk, asked()), Ok(()));
    assert_eq!(result_of(&mut queue, &mut disk, write(2)), Ok(()));
    disk.starts += 1;
    queue.step(at(10), Some(&mut disk));
    queue.step(at(10), None);
    assert_eq!(result_of(&mut queue, &mut disk, asked()), Ok(()));
}
