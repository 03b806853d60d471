//! Closing ways to pay and opening them again, and which are open: for everybody to read.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use graphql::{Failure, PageConnection};
use switches::door::{self, Availability, ClosureInput, SwitchChange, SwitchPayload};
use switches::{Kind, Target};

use crate::Service;
use crate::model::PaymentMethod;

/// Which part of paying a switch is for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum PaymentSwitch {
    /// A method: `code` is one of `PaymentMethod`.
    Method,
    /// A provider, with every method it serves: `code` is its code.
    Provider,
}

/// Which way to pay to close, and what to say of it.
#[derive(InputObject)]
pub struct ClosePaymentsInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// A method or a provider.
    of: PaymentSwitch,
    /// Which one.
    code: String,
    /// The closure.
    closure: ClosureInput,
}

/// Which way to pay to open again.
#[derive(InputObject)]
pub struct OpenPaymentsInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// A method or a provider.
    of: PaymentSwitch,
    /// Which one.
    code: String,
    /// Why, for the record: at most 2,000 characters.
    reason: String,
}

/// A way to pay (ช่องทางชำระเงิน), and whether it is open to new payments.
#[derive(SimpleObject)]
pub struct PaymentMethodStatus {
    /// The method.
    method: PaymentMethod,
    /// Whether a payment can be started by it now.
    availability: Availability,
}

/// The switches of paying.
#[derive(Default)]
pub struct SwitchMutation;

#[Object]
impl SwitchMutation {
    /// Closes a way to pay (ปิดช่องทางชำระเงินชั่วคราว), now or as planned: no payment is started by it.
    /// Payments already begun go on to their end, refunds too.
    #[graphql(requires_scopes = "switches:write")]
    async fn close_payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which way to pay, and what to say of it.")] input: ClosePaymentsInput,
    ) -> Result<Option<SwitchPayload>, Failure> {
        let service = ctx.data_unchecked::<Service>();
        let target = target(input.of, &input.code);
        door::close(ctx, &service.switches, target, &input.idempotency_key, input.closure).await
    }

    /// Opens a way to pay again, or calls off a planned closure.
    #[graphql(requires_scopes = "switches:write")]
    async fn open_payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which way to pay, and why.")] input: OpenPaymentsInput,
    ) -> Result<Option<SwitchPayload>, Failure> {
        let service = ctx.data_unchecked::<Service>();
        let target = target(input.of, &input.code);
        door::open(ctx, &service.switches, target, &input.idempotency_key, &input.reason).await
    }
}

/// Reading which ways to pay are open.
#[derive(Default)]
pub struct SwitchQuery;

#[Object]
impl SwitchQuery {
    /// Every way to pay, and whether it is open to new payments. Null when it cannot be read.
    async fn payment_methods(&self, ctx: &Context<'_>) -> Result<Option<Vec<PaymentMethodStatus>>, Failure> {
        let service = ctx.data_unchecked::<Service>();
        let closures = service.switches.closures().await.map_err(|error| {
            tracing::warn!(%error, "closures cannot be read");
            Failure::unavailable("What is closed cannot be read now.")
        })?;
        let status = |method: PaymentMethod| {
            let availability = Availability::of_all(&closures, &service.switches_of(method));
            PaymentMethodStatus { method, availability }
        };
        Ok(Some(PaymentMethod::ALL.iter().copied().map(status).collect()))
    }

    /// When a way to pay was closed and opened, by whom and why, the latest first.
    #[graphql(requires_scopes = "switches:write")]
    async fn payment_switch_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A method or a provider.")] of: PaymentSwitch,
        #[graphql(desc = "Which one.")] code: String,
        #[graphql(desc = "Changes on this page: up to 100, otherwise 20.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> Result<PageConnection<SwitchChange>, Failure> {
        let switches = &ctx.data_unchecked::<Service>().switches;
        door::changes(ctx, switches, Target::new(of.into(), code), first, after).await
    }
}

impl From<PaymentSwitch> for Kind {
    fn from(of: PaymentSwitch) -> Self {
        match of {
            PaymentSwitch::Method => Self::PaymentMethod,
            PaymentSwitch::Provider => Self::PaymentProvider,
        }
    }
}

/// What is meant, if there is such a method or provider.
fn target(of: PaymentSwitch, code: &str) -> Option<Target> {
    let target = Target::new(of.into(), code);
    crate::has_switch(&target).then_some(target)
}
