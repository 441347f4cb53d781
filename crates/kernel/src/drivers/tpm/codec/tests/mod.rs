//! Commands and answers byte by byte.
