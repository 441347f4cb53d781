//! `names!`: the names of all variants, as tables of commands want them.

/// Of a constant array whose items have a `const fn name`.
#[macro_export]
macro_rules! names {
    ($all:expr) => {{
        let mut names = [""; $all.len()];
        let mut index = 0;
        while index < names.len() {
            names[index] = $all[index].name();
            index += 1;
        }
        names
    }};
}
