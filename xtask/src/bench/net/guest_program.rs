//! The program in the Linux guest: offers the services and waits to be ended with its machine.

mod services;

fn main() -> std::io::Result<()> {
    services::serve()?;
    println!("services run");
    loop {
        std::thread::park();
    }
}
