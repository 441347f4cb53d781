//! Golden bytes, both ways.

use super::super::message::{self, BadReply, Reply};
use super::super::{Kind, Name};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn named(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn a_question_is_these_bytes() {
    let query = message::query(0x1234, &named("Www.Example.com."), Kind::Aaaa);
    assert_eq!(
        &query[..],
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03com\x00\x00\x1c\x00\x01"
    );
}

#[test]
fn a_reply_with_pointers_is_read() {
    let reply = b"\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00\
        \x03wWw\x07example\x03com\x00\x00\x01\x00\x01\
        \xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01b\xc0\x10\
        \xc0\x2d\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\x00\x02\x07";
    let asked = named("www.example.com");
    let Reply::Addresses {
        name,
        addresses,
        more,
        ttl_secs,
    } = message::parse(reply, 0x1234, &asked, Kind::A).unwrap()
    else {
        panic!("no addresses");
    };
    assert_eq!(name.as_str(), "b.example.com");
    assert_eq!(&addresses[..], [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))]);
    assert_eq!((more, ttl_secs), (0, 60));
    assert_eq!(
        message::parse(reply, 0x1235, &asked, Kind::A),
        Err(BadReply::WrongId)
    );
    assert_eq!(
        message::parse(reply, 0x1234, &asked, Kind::Aaaa),
        Err(BadReply::WrongQuestion)
    );
    assert_eq!(
        message::parse(reply, 0x1234, &named("x.com"), Kind::A),
        Err(BadReply::WrongQuestion)
    );
    for cut in 0..reply.len() {
        assert!(
            message::parse(&reply[..cut], 0x1234, &asked, Kind::A).is_err(),
            "cut at {cut}"
        );
    }
}

#[test]
fn an_ipv6_address_is_read() {
    let mut reply = message::query(7, &named("x"), Kind::Aaaa).to_vec();
    reply[2..4].copy_from_slice(b"\x81\x80");
    reply[7] = 1;
    reply.extend_from_slice(b"\xc0\x0c\x00\x1c\x00\x01\x00\x00\x00\x05\x00\x10");
    let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);
    reply.extend_from_slice(&address.octets());
    match message::parse(&reply, 7, &named("x"), Kind::Aaaa) {
        Ok(Reply::Addresses { addresses, .. }) => assert_eq!(addresses[0], IpAddr::V6(address)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_are_checked() {
    for good in ["a", "a.b", "a-b.c_d.", "xn--bcher-kva.example"] {
        assert!(Name::parse(good).is_some(), "{good}");
    }
    let long = "a".repeat(64);
    let longer = ["a".repeat(63).as_str(); 4].join(".") + ".b";
    for bad in ["", ".", "a..b", ".a", "a b", "ä", "a/b", &long, &longer] {
        assert!(Name::parse(bad).is_none(), "{bad}");
    }
}
