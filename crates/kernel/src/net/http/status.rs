//! The status codes that are answered here, and their names.

/// A code of RFC 9110, section 15.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Status(u16);

impl Status {
    pub const OK: Self = Self(200);
    pub const NO_CONTENT: Self = Self(204);
    pub const NOT_MODIFIED: Self = Self(304);
    pub const BAD_REQUEST: Self = Self(400);
    pub const UNAUTHORIZED: Self = Self(401);
    pub const FORBIDDEN: Self = Self(403);
    pub const NOT_FOUND: Self = Self(404);
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    pub const REQUEST_TIMEOUT: Self = Self(408);
    pub const CONFLICT: Self = Self(409);
    pub const CONTENT_TOO_LARGE: Self = Self(413);
    pub const URI_TOO_LONG: Self = Self(414);
    pub const EXPECTATION_FAILED: Self = Self(417);
    pub const MISDIRECTED: Self = Self(421);
    pub const TOO_MANY_REQUESTS: Self = Self(429);
    pub const HEADERS_TOO_LARGE: Self = Self(431);
    pub const NOT_IMPLEMENTED: Self = Self(501);
    pub const UNAVAILABLE: Self = Self(503);
    pub const GATEWAY_TIMEOUT: Self = Self(504);
    pub const VERSION_NOT_SUPPORTED: Self = Self(505);

    pub const fn code(self) -> u16 {
        self.0
    }

    /// 2 for success, 4 for the client's mistake, 5 for ours.
    pub const fn class(self) -> usize {
        (self.0 / 100) as usize
    }

    /// Never has a body, and so no length of one either.
    pub const fn is_bodiless(self) -> bool {
        matches!(self.0, 204 | 304)
    }

    /// The first line of an answer, with its end.
    pub const fn line(self) -> &'static str {
        match self.0 {
            200 => "HTTP/1.1 200 OK\r\n",
            204 => "HTTP/1.1 204 No Content\r\n",
            304 => "HTTP/1.1 304 Not Modified\r\n",
            400 => "HTTP/1.1 400 Bad Request\r\n",
            401 => "HTTP/1.1 401 Unauthorized\r\n",
            403 => "HTTP/1.1 403 Forbidden\r\n",
            404 => "HTTP/1.1 404 Not Found\r\n",
            405 => "HTTP/1.1 405 Method Not Allowed\r\n",
            408 => "HTTP/1.1 408 Request Timeout\r\n",
            409 => "HTTP/1.1 409 Conflict\r\n",
            413 => "HTTP/1.1 413 Content Too Large\r\n",
            414 => "HTTP/1.1 414 URI Too Long\r\n",
            417 => "HTTP/1.1 417 Expectation Failed\r\n",
            421 => "HTTP/1.1 421 Misdirected Request\r\n",
            429 => "HTTP/1.1 429 Too Many Requests\r\n",
            431 => "HTTP/1.1 431 Request Header Fields Too Large\r\n",
            501 => "HTTP/1.1 501 Not Implemented\r\n",
            503 => "HTTP/1.1 503 Service Unavailable\r\n",
            504 => "HTTP/1.1 504 Gateway Timeout\r\n",
            505 => "HTTP/1.1 505 HTTP Version Not Supported\r\n",
            _ => "HTTP/1.1 500 Internal Server Error\r\n",
        }
    }
}
