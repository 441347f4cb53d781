//! The Linux guest with a network: drivers from its own package, our services, and nginx.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::bench::linux;
use crate::deadline::Deadline;
use crate::process;
use crate::workspace::{self, Scratch};

const NGINX: &str = "/usr/sbin/nginx";
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// What the guest says when everything runs.
pub const MARKER: &str = "services run";

/// The first process: the drivers in the order in which they need each other, the address, nginx, the services.
/// Address and length of the page come on the kernel's command line.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /tmp /var/log/nginx /var/lib/nginx /run
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t devtmpfs none /dev
for module in MODULES; do /bin/busybox insmod /modules/$module.ko; done
/bin/busybox ip link set lo up
/bin/busybox ip addr add $address dev eth0
/bin/busybox ip link set eth0 up
/bin/busybox head -c $page_bytes /dev/zero | /bin/busybox tr '\0' r >/page
/usr/sbin/nginx -c /nginx.conf
exec /services
"#;

/// One worker, no log, connections that stay: as fast as nginx is with a file.
const NGINX_CONF: &str = "user root;
worker_processes 1;
error_log /dev/null crit;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  open_file_cache max=16;
  default_type text/html;
  server { listen 80 backlog=1024; location / { root /; try_files /page =404; } }
}
";

pub fn prepare() -> anyhow::Result<linux::Guest> {
    linux::Guest::with(make_initramfs)
}

fn make_initramfs(version: &str) -> anyhow::Result<PathBuf> {
    let scratch = Scratch::new().context("no scratch directory can be made")?;
    let root = scratch.path();
    linux::take(root, Path::new(linux::BUSYBOX))?;
    linux::take_with_libraries(root, Path::new(NGINX))?;
    // Names of users are looked up before the configuration's own is used.
    fs::create_dir_all(root.join("etc"))?;
    fs::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\n")?;
    fs::write(root.join("etc/group"), "root:x:0:\n")?;
    fs::write(root.join("nginx.conf"), NGINX_CONF)?;
    linux::take_modules(root, version, linux::NETWORK_MODULES)?;
    compile_services(&root.join("services"))?;
    let init = INIT.replace("MODULES", &linux::NETWORK_MODULES.join(" "));
    linux::write_program(&root.join("init"), &init)?;
    linux::pack(root, "initramfs-network")
}

/// Compiles the guest's program without libraries to carry along.
fn compile_services(program: &Path) -> anyhow::Result<()> {
    let source = workspace::root().join("xtask/src/bench/net/guest_program.rs");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .current_dir(workspace::root())
        .args([
            "--edition",
            "2024",
            "-O",
            "-C",
            "target-feature=+crt-static",
            "-o",
        ])
        .arg(program)
        .arg(source);
    let said = process::ask(&mut rustc, Deadline::after(ANSWER_WITHIN))?;
    if !said.success {
        bail!(
            "the guest's services do not compile: {}",
            said.stderr.trim()
        );
    }
    Ok(())
}
