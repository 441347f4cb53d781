//! The bare-metal binary: the two ways in, and what a panic calls.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod metal {
    use rayos_kernel::{boot, failure, pvh_entry};

    pvh_entry!(boot::from_pvh);
    bootloader_api::entry_point!(boot::from_loader, config = &boot::loader::CONFIG);

    #[panic_handler]
    fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
        failure::on_panic(info)
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    println!("this is a kernel for bare metal; `cargo xtask run` builds and boots it");
}
