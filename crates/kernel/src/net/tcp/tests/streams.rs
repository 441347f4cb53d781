//! What goes over the wire when data is lost, delayed, repeated or not wanted.

use super::script::{accepted, check};

#[test]
fn a_lost_segment_is_sent_again_when_three_behind_it_have_arrived() {
    check(accepted!(
        "write 14600
  > A 1+1460 ack 1 win 2048
  > A 1461+1460 ack 1 win 2048
  > A 2921+1460 ack 1 win 2048
  > A 4381+1460 ack 1 win 2048
  > A 5841+1460 ack 1 win 2048
  > A 7301+1460 ack 1 win 2048
  > A 8761+1460 ack 1 win 2048
  > A 10221+1460 ack 1 win 2048
  > A 11681+1460 ack 1 win 2048
  > PA 13141+1460 ack 1 win 2048
+10
< A 1 ack 1 win 64000 sack 1461-2921
< A 1 ack 1 win 64000 sack 1461-4381
< A 1 ack 1 win 64000 sack 1461-5841
  > A 1+1460 ack 1 win 2048
window
  = 7 segments
+10
< A 1 ack 14601 win 64000
window
  = 7 segments
"
    ));
}

#[test]
fn without_sack_three_repetitions_do_the_same() {
    check(
        "listen
< S 0 win 64000 mss 1460
  > SA 0 ack 1 win 65535 mss 1460
+10
< A 1 ack 1 win 64000
write 14600
  > A 1+1460 ack 1 win 65535
  > A 1461+1460 ack 1 win 65535
  > A 2921+1460 ack 1 win 65535
  > A 4381+1460 ack 1 win 65535
  > A 5841+1460 ack 1 win 65535
  > A 7301+1460 ack 1 win 65535
  > A 8761+1460 ack 1 win 65535
  > A 10221+1460 ack 1 win 65535
  > A 11681+1460 ack 1 win 65535
  > PA 13141+1460 ack 1 win 65535
+10
< A 1 ack 1 win 64000
< A 1 ack 1 win 64000
< A 1 ack 1 win 64000
  > A 1+1460 ack 1 win 65535
+10
< A 1 ack 4381 win 64000
  > A 4381+1460 ack 1 win 65535
+10
< A 1 ack 14601 win 64000
",
    );
}

#[test]
fn a_lost_tail_is_found_by_a_probe() {
    check(accepted!(
        "write 5840
  > A 1+1460 ack 1 win 2048
  > A 1461+1460 ack 1 win 2048
  > A 2921+1460 ack 1 win 2048
  > PA 4381+1460 ack 1 win 2048
+10
< A 1 ack 2921 win 64000
+40
  > PA 4381+1460 ack 1 win 2048 @30
+10
< A 1 ack 2921 win 64000 sack 4381-5841
  > A 2921+1460 ack 1 win 2048
+10
< A 1 ack 5841 win 64000
+1000
window
  = 7 segments
"
    ));
}

#[test]
fn silence_is_answered_by_ever_longer_waits() {
    check(accepted!(
        "write 1000
  > PA 1+1000 ack 1 win 2048
+10000
  > PA 1+1000 ack 1 win 2048 @120
  > PA 1+1000 ack 1 win 2048 @330
  > PA 1+1000 ack 1 win 2048 @750
  > PA 1+1000 ack 1 win 2048 @1590
  > PA 1+1000 ack 1 win 2048 @3270
  > PA 1+1000 ack 1 win 2048 @6630
< A 1 ack 1001 win 64000
window
  = 1 segments
"
    ));
}

#[test]
fn a_closed_window_is_probed_until_it_opens() {
    check(accepted!(
        "< A 1 ack 1 win 0
write 3000
+5000
  > A 0 ack 1 win 2048 @210
  > A 0 ack 1 win 2048 @630
  > A 0 ack 1 win 2048 @1470
  > A 0 ack 1 win 2048 @3150
< A 1 ack 1 win 0
+3000
  > A 0 ack 1 win 2048 @1510
< A 1 ack 1 win 64000
  > A 1+1460 ack 1 win 2048
  > A 1461+1460 ack 1 win 2048
  > PA 2921+80 ack 1 win 2048
"
    ));
}

#[test]
fn our_window_closes_and_opens_again() {
    check(accepted!(
        "< A 1+40000 ack 1 win 64000
  > A 1 ack 40001 win 1423
  ! Readable
< A 40001+25535 ack 1 win 64000
  > A 1 ack 65536 win 1024
  ! Readable
< A 65536+65535 ack 1 win 64000
  > A 1 ack 131071 win 0
  ! Readable
< A 131071+40000 ack 1 win 64000
  > A 1 ack 131073 win 0
  ! Readable
read
  = 131072
  > A 1 ack 131073 win 2048
"
    ));
}

#[test]
fn a_window_that_cannot_be_scaled_opens_again_though_the_user_was_fast_before() {
    check(
        "listen
< S 0 win 64000 mss 1460
  > SA 0 ack 1 win 65535 mss 1460
+10
< A 1 ack 1 win 64000
< A 1+20000 ack 1 win 64000
  > A 1 ack 20001 win 65535
  ! Readable
read
  = 20000
< A 20001+20000 ack 1 win 64000
  > A 1 ack 40001 win 65535
  ! Readable
read
  = 20000
< A 40001+20000 ack 1 win 64000
  > A 1 ack 60001 win 65535
  ! Readable
read
  = 20000
< A 60001+20000 ack 1 win 64000
  > A 1 ack 80001 win 65535
  ! Readable
read
  = 20000
< A 80001+20000 ack 1 win 64000
  > A 1 ack 100001 win 65535
  ! Readable
read
  = 20000
< A 100001+20000 ack 1 win 64000
  > A 1 ack 120001 win 65535
  ! Readable
read
  = 20000
< A 120001+20000 ack 1 win 64000
  > A 1 ack 140001 win 65535
  ! Readable
read
  = 20000
< A 140001+20000 ack 1 win 64000
  > A 1 ack 160001 win 65535
  ! Readable
read
  = 20000
< A 160001+65000 ack 1 win 64000
  > A 1 ack 225001 win 65535
  ! Readable
< A 225001+65000 ack 1 win 64000
  > A 1 ack 290001 win 65535
  ! Readable
< A 290001+65000 ack 1 win 64000
  > A 1 ack 355001 win 65535
  ! Readable
< A 355001+65000 ack 1 win 64000
  > A 1 ack 420001 win 2144
  ! Readable
< A 420001+1600 ack 1 win 64000
  > A 1 ack 421601 win 544
  ! Readable
read
  = 261600
  > A 1 ack 421601 win 65535
",
    );
}

#[test]
fn data_out_of_order_is_told_and_kept() {
    check(accepted!(
        "< A 1001+1000 ack 1 win 64000
  > A 1 ack 1 sack 1001-2001 win 2048
< A 3001+1000 ack 1 win 64000
  > A 1 ack 1 sack 3001-4001 sack 1001-2001 win 2048
< A 1001+1000 ack 1 win 64000
  > A 1 ack 1 sack 1001-2001 sack 1001-2001 sack 3001-4001 win 2048
< A 1+1000 ack 1 win 64000
  > A 1 ack 2001 sack 3001-4001 win 2016
  ! Readable
< A 2001+1000 ack 1 win 64000
  > A 1 ack 4001 win 1985
  ! Readable
read
  = 4000
"
    ));
}

#[test]
fn a_repeated_segment_is_told_as_a_duplicate() {
    check(accepted!(
        "< A 1+1000 ack 1 win 64000
  > A 1 ack 1001 win 2032
  ! Readable
< A 1+1000 ack 1 win 64000
  > A 1 ack 1001 sack 1-1001 win 2032
"
    ));
}

#[test]
fn confirmations_wait_when_nothing_is_urgent() {
    // Sixteen at once at the start, then within 40 ms, or with the second full segment.
    check(
        "listen
< S 0 win 64000 mss 1460 sackok
  > SA 0 ack 1 win 65535 mss 1460 sackok
+10
< A 1 ack 1 win 64000
< A 1+10 ack 1 win 64000
  > A 1 ack 11 win 65525
  ! Readable
< A 11+10 ack 1 win 64000
  > A 1 ack 21 win 65515
  ! Readable
< A 21+10 ack 1 win 64000
  > A 1 ack 31 win 65505
  ! Readable
< A 31+10 ack 1 win 64000
  > A 1 ack 41 win 65495
  ! Readable
< A 41+10 ack 1 win 64000
  > A 1 ack 51 win 65485
  ! Readable
< A 51+10 ack 1 win 64000
  > A 1 ack 61 win 65475
  ! Readable
< A 61+10 ack 1 win 64000
  > A 1 ack 71 win 65465
  ! Readable
< A 71+10 ack 1 win 64000
  > A 1 ack 81 win 65455
  ! Readable
< A 81+10 ack 1 win 64000
  > A 1 ack 91 win 65445
  ! Readable
< A 91+10 ack 1 win 64000
  > A 1 ack 101 win 65435
  ! Readable
< A 101+10 ack 1 win 64000
  > A 1 ack 111 win 65425
  ! Readable
< A 111+10 ack 1 win 64000
  > A 1 ack 121 win 65415
  ! Readable
< A 121+10 ack 1 win 64000
  > A 1 ack 131 win 65405
  ! Readable
< A 131+10 ack 1 win 64000
  > A 1 ack 141 win 65395
  ! Readable
< A 141+10 ack 1 win 64000
  > A 1 ack 151 win 65385
  ! Readable
< A 151+10 ack 1 win 64000
  > A 1 ack 161 win 65375
  ! Readable
< A 161+10 ack 1 win 64000
  ! Readable
+100
  > A 1 ack 171 win 65365 @40
< A 171+1460 ack 1 win 64000
  ! Readable
< A 1631+1460 ack 1 win 64000
  > A 1 ack 3091 win 65535
  ! Readable
< A 3091+5000 ack 1 win 64000
  > A 1 ack 8091 win 65535
  ! Readable
",
    );
}

#[test]
fn short_segments_wait_for_each_other() {
    check(accepted!(
        "write 100
  > PA 1+100 ack 1 win 2048
write 100
write 100
+10
< A 1 ack 101 win 64000
  > PA 101+200 ack 1 win 2048
write 2000
  > A 301+1460 ack 1 win 2048
+10
< A 1 ack 301 win 64000
  > PA 1761+540 ack 1 win 2048
"
    ));
}

#[test]
fn a_narrow_path_makes_smaller_segments() {
    check(accepted!(
        "write 2920
  > A 1+1460 ack 1 win 2048
  > PA 1461+1460 ack 1 win 2048
too-large 1000
  > A 1+960 ack 1 win 2048
  > A 961+960 ack 1 win 2048
  > A 1921+960 ack 1 win 2048
  > PA 2881+40 ack 1 win 2048
"
    ));
}

#[test]
fn a_needless_recovery_is_taken_back() {
    check(
        "listen
< S 0 win 64000 mss 1460 sackok ws 0 ts 1000
  > SA 0 ack 1 win 65535 mss 1460 sackok ws 6 ts 1000
+10
< A 1 ack 1 win 64000 ts 1010
write 14480
  > A 1+1448 ack 1 win 2048 ts 1010
  > A 1449+1448 ack 1 win 2048 ts 1010
  > A 2897+1448 ack 1 win 2048 ts 1010
  > A 4345+1448 ack 1 win 2048 ts 1010
  > A 5793+1448 ack 1 win 2048 ts 1010
  > A 7241+1448 ack 1 win 2048 ts 1010
  > A 8689+1448 ack 1 win 2048 ts 1010
  > A 10137+1448 ack 1 win 2048 ts 1010
  > A 11585+1448 ack 1 win 2048 ts 1010
  > PA 13033+1448 ack 1 win 2048 ts 1010
window
  = 10 segments
+300
  > PA 13033+1448 ack 1 win 2048 ts 1010 @30
  > A 1+1448 ack 1 win 2048 ts 1010 @240
window
  = 1 segments
< A 1 ack 2897 win 64000 ts 1020 first
window
  = 10 segments
",
    );
}
