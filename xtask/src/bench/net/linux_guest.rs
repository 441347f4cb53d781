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

#[derive(Clone, Debug)]
pub struct Guest {
    pub version: String,
    pub kernel: PathBuf,
    pub initramfs: PathBuf,
}

impl Guest {
    pub fn prepare() -> anyhow::Result<Guest> {
        let missing = "the Linux guest is missing; `cargo xtask doctor --install` fetches it";
        let kernel = linux::kernel().context(missing)?;
        let version = linux::kernel_version().context(missing)?;
        let initramfs = make_initramfs(&version)?;
        Ok(Guest {
            version,
            kernel,
            initramfs,
        })
    }
}

fn make_initramfs(version: &str) -> anyhow::Result<PathBuf> {
    let scratch = Scratch::new().context("no scratch directory can be made")?;
    let root = scratch.path();
    let take = |from: &Path| -> anyhow::Result<()> {
        let to = root.join(from.strip_prefix("/").unwrap_or(from));
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::copy(from, &to).with_context(|| format!("{} cannot be copied", from.display()))?;
        Ok(())
    };
    take(Path::new(linux::BUSYBOX))?;
    take(Path::new(NGINX))?;
    for library in libraries_of(Path::new(NGINX))? {
        take(&library)?;
    }
    // Names of users are looked up before the configuration's own is used.
    fs::create_dir_all(root.join("etc"))?;
    fs::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\n")?;
    fs::write(root.join("etc/group"), "root:x:0:\n")?;
    fs::write(root.join("nginx.conf"), NGINX_CONF)?;
    fs::create_dir(root.join("modules"))?;
    for module in linux::NETWORK_MODULES {
        let from = linux::module(version, module);
        fs::copy(&from, root.join(format!("modules/{module}.ko")))
            .with_context(|| format!("{} cannot be copied", from.display()))?;
    }
    compile_services(&root.join("services"))?;
    let init = INIT.replace("MODULES", &linux::NETWORK_MODULES.join(" "));
    linux::write_program(&root.join("init"), &init)?;
    linux::pack(root, "initramfs-network")
}

/// The libraries that a program is linked with, by path.
fn libraries_of(program: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let said = process::ask(
        Command::new("ldd").arg(program),
        Deadline::after(ANSWER_WITHIN),
    )?;
    if !said.success {
        bail!(
            "{} is not installed; `cargo xtask doctor --install --for benchmarks` installs it",
            program.display()
        );
    }
    let words = said.stdout.split_whitespace();
    let paths = words.filter(|word| word.starts_with('/'));
    Ok(paths.map(PathBuf::from).collect())
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
