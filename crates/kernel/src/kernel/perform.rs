//! Does what commands want, once it may be done.

use super::ports::MachinePorts;
use super::{Kernel, Machine};
use crate::base::machine::SelfTestError;
use crate::base::operation::{OperationId, Operations};
use crate::drivers::devices::ResetError;
use crate::shell::catalog::{Intent, Operation};
use crate::shell::session::Tried;
use crate::storage::Errands;

impl<M: Machine> Kernel<M> {
    /// The one place where what a command wants is done.
    pub(super) fn perform(&mut self, intent: Intent) -> Result<Tried, &'static str> {
        match intent {
            Intent::Power(action) => {
                self.machine.power(action);
                self.is_stopped = true;
            }
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
            Intent::Load(change) => self.loads.apply(self.machine.now(), change)?,
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
            Intent::Audit(change) => self.security.audit.apply(change)?,
            // The session did it when the command ran.
            Intent::ClearScreen => {}
            Intent::Operation(operation) => return self.start_operation(operation),
        }
        Ok(Tried::Done)
    }

    fn start_operation(&mut self, operation: Operation) -> Result<Tried, &'static str> {
        let now = self.machine.now();
        let id = self.operations.open(now, operation.limit());
        let id = id.map_err(|_| Operations::FULL)?;
        let result = self.route_operation(id, operation);
        if result.is_err() {
            self.operations.withdraw(id);
        }
        result.map(|()| Tried::Runs(id))
    }

    fn route_operation(
        &mut self,
        id: OperationId,
        operation: Operation,
    ) -> Result<(), &'static str> {
        match operation {
            Operation::Disk(errand) => {
                let disk = self.machine.disk(errand.disk).ok_or(Errands::GONE)?;
                self.errands.start(id, errand, disk)
            }
            Operation::Outbound(wish) => {
                let now = self.machine.now();
                self.outbound.start(now, id, wish)
            }
            Operation::Ping(request) => {
                let now = self.machine.now();
                self.network.start_ping_for(id, now, request)
            }
            Operation::VerifyAudit => self.security.audit.start_verify_for(id),
        }
    }
}
