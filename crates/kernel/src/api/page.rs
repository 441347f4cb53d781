//! The status page: files in the kernel, each with its mark.

use crate::net::http::{Response, Status};

/// Nothing from elsewhere is loaded, and no page of others may frame this one.
const HEADERS: &str = concat!(
    "Cache-Control: no-cache\r\n",
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; ",
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; ",
    "frame-ancestors 'none'\r\n",
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n",
);

pub struct Asset {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    mark: &'static [u8; MARK_BYTES],
}

static ASSETS: [Asset; 4] = [
    Asset {
        path: "/",
        content_type: "text/html; charset=utf-8",
        bytes: include_bytes!("page/index.html"),
        mark: &mark(include_bytes!("page/index.html")),
    },
    Asset {
        path: "/status.css",
        content_type: "text/css; charset=utf-8",
        bytes: include_bytes!("page/status.css"),
        mark: &mark(include_bytes!("page/status.css")),
    },
    Asset {
        path: "/status.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("page/status.js"),
        mark: &mark(include_bytes!("page/status.js")),
    },
    Asset {
        path: "/favicon.ico",
        content_type: "image/svg+xml",
        bytes: include_bytes!("page/icon.svg"),
        mark: &mark(include_bytes!("page/icon.svg")),
    },
];

pub fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

impl Asset {
    /// The asset, or the word that the browser has it already.
    pub fn response(&self, if_none_match: Option<&[u8]>) -> Response {
        let mark = core::str::from_utf8(self.mark).unwrap_or_default();
        let has_it = if_none_match.is_some_and(|marks| {
            let mut marks = marks.split(|byte| *byte == b',');
            marks.any(|one| one.trim_ascii() == self.mark)
        });
        let whole = Response {
            status: Status::OK,
            content_type: self.content_type,
            headers: HEADERS,
            mark,
            retry_after_secs: None,
            body: [self.bytes, b"", b""],
        };
        match has_it {
            true => Response {
                status: Status::NOT_MODIFIED,
                content_type: "",
                body: Default::default(),
                ..whole
            },
            false => whole,
        }
    }
}

/// Sixteen digits between quotation marks.
const MARK_BYTES: usize = 18;

/// FNV-1a of the content: another content has another mark, which is all that is asked of it.
const fn mark(bytes: &[u8]) -> [u8; MARK_BYTES] {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    let mut text = [b'"'; MARK_BYTES];
    let mut digit = 1;
    while digit < MARK_BYTES - 1 {
        text[digit] = b"0123456789abcdef"[(hash >> 60) as usize];
        hash <<= 4;
        digit += 1;
    }
    text
}
