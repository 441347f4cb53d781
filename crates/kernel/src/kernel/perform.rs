//! Does what commands want, once it may be done.

use super::ports::{MachineMemory, MachinePorts};
use super::{Kernel, Machine};
use crate::base::capability::{Asked, Capability, Change, GrantError};
use crate::base::machine::SelfTestError;
use crate::base::operation::{OperationId, Operations, Performer};
use crate::base::subject::Subject;
use crate::base::tenant::Tenant;
use crate::drivers::devices::ResetError;
use crate::net::outbound::Wish as OutboundWish;
use crate::resilience::chronicle::{self, Chronicle};
use crate::security::audit::Event;
use crate::security::measured::record::Record;
use crate::security::measured::request::Wish as TpmWish;
use crate::security::policy::{Class, LOAD_PROGRAM, Object, PolicyError};
use crate::shell::catalog::{Intent, Operation};
use crate::shell::gate::Permitted;
use crate::shell::session::Tried;
use crate::storage::layout::{Content, DiskState, LogArea};
use crate::storage::measure;
use crate::workloads::load::LoadChange;

impl<M: Machine> Kernel<M> {
    /// The one place where what a command wants is done.
    pub(super) fn perform(&mut self, permitted: Permitted) -> Result<Tried, &'static str> {
        let Permitted { intent, permit } = permitted;
        let result = self.carry_out(intent, permit.subject());
        if let Err(reason) = result {
            let now = self.machine.now();
            let event = Event::intent(permit.subject(), permit.name(), Err(reason));
            self.security.audit.append(now, event);
        }
        // What may be done may be something else now.
        self.security.enforce(&mut self.handlers);
        result
    }

    fn carry_out(&mut self, intent: Intent, by: Subject) -> Result<Tried, &'static str> {
        match intent {
            Intent::Power(action) => self.want_power(action),
            Intent::Debug(action) => self.machine.debug(action),
            Intent::SelfTest(test) => {
                let result = self.machine.start_self_test(test);
                result.map_err(SelfTestError::reason)?;
            }
            Intent::Firewall(change) => self.network.firewall_mut().apply(change)?,
            // On the first port, where addresses come from outside.
            Intent::AddTenantInterface(tenant) => {
                let added = self.add_tenant_interface(0, tenant);
                added.map_err(|_| "no interface was added: the first port is missing, or there are as many as there can be")?;
            }
            Intent::Load(change) => self.change_load(change)?,
            Intent::Policy(change) => {
                let policy = &mut self.security.policy;
                policy.apply(change).map_err(PolicyError::reason)?;
            }
            Intent::SetQuota {
                tenant,
                resource,
                limit,
            } => {
                let now = self.machine.now();
                self.handlers.set_quota(now, tenant, resource, limit);
            }
            Intent::ResetDevice(address) => {
                let result = self.machine.reset_device(address);
                result.map_err(ResetError::reason)?;
            }
            Intent::Dhcp { command, interface } => {
                let now = self.machine.now();
                let ports = &mut MachinePorts(&mut self.machine);
                let handlers = &mut self.handlers;
                self.network
                    .command_dhcp(now, ports, handlers, interface, command)?;
            }
            Intent::Serve(wanted) => {
                let now = self.machine.now();
                let ports = &mut MachinePorts(&mut self.machine);
                let handlers = &mut self.handlers;
                self.network.offer_services(now, ports, handlers, wanted)?;
            }
            Intent::Capability(change) => {
                self.change_rights(by, &change)?;
            }
            Intent::Io(change) => {
                let now = self.machine.now();
                self.storage.queues.apply(now, change)?;
            }
            Intent::Audit(change) => self.security.audit.apply(change)?,
            Intent::Pool(change) => self.storage.pool.apply(change, &mut self.storage.volumes)?,
            Intent::AcceptLoss(LogArea::Volumes) => self.storage.pool.accept_loss()?,
            Intent::AcceptLoss(area) => {
                let logs = self.storage.home.logs_mut();
                logs.ok_or(Chronicle::NO_DISK)?.accept_loss(area)?;
            }
            // The session did it when the command ran.
            Intent::ClearScreen => {}
            Intent::Operation(operation) => return self.start_operation(operation, by),
        }
        Ok(Tried::Done)
    }

    fn change_rights(&mut self, by: Subject, change: &Change) -> Result<(), &'static str> {
        let now = self.machine.now();
        let changed = self.handlers.grants_mut().apply(now, by, change);
        changed.map(|_| ()).map_err(GrantError::reason)
    }

    /// A load is measured before it runs, in a context of its own.
    fn change_load(&mut self, change: LoadChange) -> Result<(), &'static str> {
        let now = self.machine.now();
        if let LoadChange::Start(order) = &change
            && !self.loads.is_busy(order.tenant)
        {
            let subject = Subject::Tenant(order.tenant);
            let program = Object::new(Class::File, LOAD_PROGRAM);
            let (work, per_s) = (order.work.name(), order.per_s);
            let what = format_args!("file={LOAD_PROGRAM} work={work} per_s={per_s}");
            self.security.launch(now, subject, &program, what)?;
        }
        self.loads.apply(now, change)
    }

    /// Tenants whose loads have ended are in their own contexts again.
    pub(super) fn leave_ended_loads(&mut self) {
        for tenant in Tenant::all() {
            if !self.loads.is_busy(tenant) {
                self.security.policy.leave(Subject::Tenant(tenant));
            }
        }
    }

    /// The gate has asked for what the command needs; an option may need more.
    fn may_save(&mut self, by: Subject) -> Result<(), &'static str> {
        let now = self.machine.now();
        let asked = Asked::of(by, Capability::DiskWrite);
        let grants = self.handlers.grants_mut();
        let passed = grants.ask(now, &asked).map_err(
            |_| "saving what is fetched needs DISK_W, which you may not use; see cap list",
        )?;
        if let Some(ticket) = passed.ticket {
            grants.release(ticket);
        }
        Ok(())
    }

    fn start_operation(
        &mut self,
        operation: Operation,
        by: Subject,
    ) -> Result<Tried, &'static str> {
        if matches!(operation, Operation::Save { .. }) {
            self.may_save(by)?;
        }
        let now = self.machine.now();
        let id = self.operations.open(now, operation.limit());
        let id = id.map_err(|_| Operations::FULL)?;
        let result = self.start_or_wait(id, operation);
        if result.is_err() {
            self.operations.withdraw(id);
        }
        result.map(|()| Tried::Runs(id))
    }

    pub(super) fn route_operation(
        &mut self,
        id: OperationId,
        operation: Operation,
    ) -> Result<(), &'static str> {
        match operation {
            Operation::Disk(errand) => {
                let now = self.machine.now();
                let storage = &mut *self.storage;
                let queues = &mut storage.queues;
                storage.errands.start(now, id, errand, queues)
            }
            Operation::File(wish) => self.storage.files.start(id, wish),
            Operation::Save { url, file } => {
                let now = self.machine.now();
                self.storage.files.start(id, file)?;
                let wish = OutboundWish::Fetch {
                    url,
                    is_for_file: true,
                };
                let started = self.outbound.start(now, id, wish);
                if started.is_err() {
                    self.storage.files.forget(id);
                }
                started
            }
            Operation::Layout(wish) => {
                let storage = &mut *self.storage;
                storage.layouts.start(id, wish, &storage.queues)
            }
            Operation::MeasureDisk(wish) => self.measure_disk(id, wish),
            Operation::CompareSchedulers(wish) => self.storage.bench.start(id, wish),
            Operation::Outbound(wish) => {
                let now = self.machine.now();
                self.outbound.start(now, id, wish)
            }
            Operation::Tpm(wish) => self.ask_tpm(id, wish),
            Operation::SecurityBench => self.security.bench.start(id),
            Operation::Volume(wish) => self.storage.volumes.start(id, wish),
            Operation::Ping(request) => {
                let now = self.machine.now();
                self.network.start_ping_for(id, now, request)
            }
            Operation::VerifyAudit => {
                let logs = self.storage.home.logs();
                if logs.is_some() {
                    self.chronicle.start(id, chronicle::Wish::Check, logs)?;
                }
                let started = self.security.audit.start_verify_for(id);
                if started.is_err() {
                    self.chronicle.forget(id);
                }
                started
            }
            Operation::Chronicle(wish) => self.chronicle.start(id, wish, self.storage.home.logs()),
        }
    }

    /// What stands on a disk that is not blank is not overwritten by a measurement.
    fn measure_disk(&mut self, id: OperationId, wish: measure::Wish) -> Result<(), &'static str> {
        let storage = &mut *self.storage;
        let is_blank = storage.layouts.state(wish.disk) == DiskState::Known(Content::Blank);
        let memory = &mut MachineMemory(&mut self.machine);
        let queues = &storage.queues;
        storage.measure.start(id, wish, is_blank, queues, memory)
    }

    fn ask_tpm(&mut self, id: OperationId, wish: TpmWish) -> Result<(), &'static str> {
        let head = self.security.audit.head();
        let in_force = Record {
            policy_version: self.security.policy.version(),
            policy_digest: *self.security.policy.digest(),
            audit_head: head.hash,
            audit_entries: head.entries,
            stored: 0,
        };
        let owner = self.machine.boot().config.tpm_owner.as_ref();
        self.security.measured.start(id, wish, &in_force, owner)
    }
}
