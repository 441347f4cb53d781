//! What goes over the wire when connections open, close and are attacked.

use super::script::{accepted, check};

#[test]
fn a_connection_is_accepted_used_and_closed() {
    check(accepted!(
        "< PA 1+100 ack 1 win 64000
  > A 1 ack 101 win 2046
  ! Readable
read
  = 100
write 5000
  > A 1+1460 ack 101 win 2046
  > A 1461+1460 ack 101 win 2046
  > A 2921+1460 ack 101 win 2046
  > PA 4381+620 ack 101 win 2046
+10
< A 101 ack 5001 win 64000
shutdown
  > FPA 5001 ack 101 win 2046
< A 101 ack 5002 win 64000
status
  = fin-wait-2
< FA 101 ack 5002 win 64000
  > A 5002 ack 102 win 2046
  ! Readable
  ! Closed
read
  = 0 end
status
  = time-wait Finished
release
"
    ));
}

#[test]
fn a_connection_is_opened_and_closed_by_the_other_side() {
    check(
        "connect
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0
+10
< SA 0 ack 1 win 64000 mss 1400 sackok ws 7 ts 500
  > A 1 ack 1 win 2048 ts 500
  ! Opened
write 10
  > PA 1+10 ack 1 win 2048 ts 500
< FA 1+5 ack 11 win 500 ts 501
  > A 11 ack 7 win 2047 ts 501
  ! Readable
read
  = 5 end
shutdown
  > FPA 11 ack 7 win 2047 ts 501
< A 7 ack 12 win 500 ts 502
  ! Closed
status
  = closed Finished
",
    );
}

#[test]
fn both_sides_open_at_the_same_time() {
    check(
        "connect
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0
< S 0 win 64000 mss 1460 sackok ws 7
  > SA 0 ack 1 win 65535 mss 1460 sackok ws 6
< SA 0 ack 1 win 64000 mss 1460 sackok ws 7
  ! Opened
status
  = established
",
    );
}

#[test]
fn both_sides_close_at_the_same_time() {
    check(accepted!(
        "shutdown
  > FPA 1 ack 1 win 2048
< FA 1 ack 1 win 64000
  > A 2 ack 2 win 2047
  ! Readable
status
  = closing
< A 2 ack 2 win 64000
  ! Closed
status
  = time-wait Finished
release
"
    ));
}

#[test]
fn a_refused_connection_says_so() {
    check(
        "connect
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0
< RA 0 ack 1 win 0
  ! Closed
status
  = closed Refused
",
    );
}

#[test]
fn a_request_that_nobody_answers_is_repeated_and_given_up() {
    check(
        "connect
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0
+200000
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0 @1000
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0 @3000
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0 @7000
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0 @15000
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0 @31000
  > S 0 win 65535 mss 1460 sackok ws 6 ts 0 @63000
  ! Closed
status
  = closed TimedOut
",
    );
}

#[test]
fn an_answer_to_a_request_is_repeated_and_forgotten() {
    check(
        "listen
< S 0 win 64000 mss 1460
  > SA 0 ack 1 win 65535 mss 1460
+100000
  > SA 0 ack 1 win 65535 mss 1460 @1000
  > SA 0 ack 1 win 65535 mss 1460 @3000
  > SA 0 ack 1 win 65535 mss 1460 @7000
  > SA 0 ack 1 win 65535 mss 1460 @15000
  > SA 0 ack 1 win 65535 mss 1460 @31000
< A 1 ack 1 win 64000
  > R 1
",
    );
}

#[test]
fn a_reset_ends_only_at_the_right_place() {
    check(accepted!(
        "< R 100 win 0
  > A 1 ack 1 win 2048
+1000
< R 1 win 0
  ! Closed
status
  = closed Reset
"
    ));
}

#[test]
fn a_syn_in_an_open_connection_is_challenged_once_in_a_while() {
    check(accepted!(
        "< S 500 win 64000
  > A 1 ack 1 win 2048
< S 600 win 64000
+500
< S 700 win 64000
  > A 1 ack 1 win 2048
status
  = established
"
    ));
}

#[test]
fn an_acknowledgement_of_the_future_is_challenged() {
    check(accepted!(
        "< A 1+10 ack 5000 win 64000
  > A 1 ack 1 win 2048
read
  = 0
"
    ));
}

#[test]
fn a_timestamp_from_the_past_is_not_believed() {
    check(
        "listen
< S 0 win 64000 mss 1460 sackok ws 0 ts 1000
  > SA 0 ack 1 win 65535 mss 1460 sackok ws 6 ts 1000
+10
< A 1 ack 1 win 64000 ts 1010
< PA 1+10 ack 1 win 64000 ts 1020
  > A 1 ack 11 win 2047 ts 1020
  ! Readable
< PA 11+10 ack 1 win 64000 ts 900
  > A 1 ack 11 win 2047 ts 1020
read
  = 10
< R 11 win 0
  ! Closed
status
  = closed Reset
",
    );
}

#[test]
fn strangers_are_reset() {
    check(
        "listen
< A 1 ack 1 win 64000
  > R 1
< SA 1 ack 1 win 64000
  > R 1
< R 1 win 0
",
    );
}

#[test]
fn an_abort_says_so() {
    check(accepted!(
        "write 10
  > PA 1+10 ack 1 win 2048
abort
  > RA 11 ack 1
  ! Closed
status
  = closed Aborted
release
"
    ));
}

#[test]
fn a_release_sends_what_was_written_and_takes_nothing_more() {
    check(accepted!(
        "write 10
  > PA 1+10 ack 1 win 2048
release
  > FPA 11 ack 1 win 2048
< A 1 ack 12 win 64000
< A 1+10 ack 12 win 64000
  > RA 12 ack 1
"
    ));
}

#[test]
fn the_end_of_a_connection_is_remembered() {
    check(accepted!(
        "shutdown
  > FPA 1 ack 1 win 2048
< FA 1 ack 2 win 64000
  > A 2 ack 2 win 2047
  ! Readable
  ! Closed
release
< FA 1 ack 2 win 64000
  > A 2 ack 2 win 2047
< R 2 win 0
< FA 1 ack 2 win 64000
  > A 2 ack 2 win 2047
< S 100000 win 64000 mss 1460
  > SA 2500 ack 100001 win 65535 mss 1460
"
    ));
}

#[test]
fn a_silent_peer_is_asked_whether_it_is_there() {
    check(accepted!(
        "keep-alive 60
+61000
  > A 0 ack 1 win 2048 @60000
< A 1 ack 1 win 64000
+59000
+800000
  > A 0 ack 1 win 2048 @1000
  > A 0 ack 1 win 2048 @76000
  > A 0 ack 1 win 2048 @151000
  > A 0 ack 1 win 2048 @226000
  > A 0 ack 1 win 2048 @301000
  > A 0 ack 1 win 2048 @376000
  > A 0 ack 1 win 2048 @451000
  > A 0 ack 1 win 2048 @526000
  > A 0 ack 1 win 2048 @601000
  ! Closed
status
  = closed TimedOut
"
    ));
}
