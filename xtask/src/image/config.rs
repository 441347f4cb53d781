//! The text of `rayos.cfg`, the configuration that people edit on the boot partition.

/// What a fresh image says: every key as a comment, none set.
pub const DEFAULT: &str = "\
# RayOS configuration: one key=value a line; a line that begins with # is a comment.
# An unknown key or a bad value is shown at boot and by the command `status`, and stops nothing.
#
# shell=interactive     the shell on the serial port: interactive, framed, framed-json
# keymap=us             keyboard layout: us, de, fr
# log=info              least level that is logged; for one source: log=info,net=debug
# panic=reboot          what follows a panic: reboot, halt
# debug=1               allows the commands `debug panic`, `debug hang` and the like
";

/// The default text, followed by the keys of a command line, each in a line of its own.
pub fn with_command_line(command_line: &str) -> String {
    let mut text = String::from(DEFAULT);
    for word in command_line.split_ascii_whitespace() {
        text.push_str(word);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_sets_nothing() {
        assert!(DEFAULT.lines().all(|line| line.starts_with('#')));
        assert_eq!(with_command_line("  "), DEFAULT);
    }

    #[test]
    fn each_key_of_a_command_line_gets_a_line() {
        let text = with_command_line(" debug=1  log=info,net=debug ");
        assert_eq!(
            text.strip_prefix(DEFAULT),
            Some("debug=1\nlog=info,net=debug\n")
        );
    }
}
