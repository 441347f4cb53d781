//! L7: from bytes to commands to reports.
