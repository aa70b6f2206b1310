//! Every figure the gateway counts.

use metrics::Unit;

use crate::app::money::metric as money;
use crate::app::sale::metric as sale;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Checkouts, by how they ended: label `outcome`.
    Checkouts,
    /// Seconds a checkout took, the provider's time included.
    CheckoutSeconds,
    /// Sign-ups and logins, by `what` and `outcome`.
    Entries,
    /// Tries to log in, sign up or prove a password that came too soon after others.
    EntriesThrottled,
    /// Requests turned away because too many wait to hash a password.
    HashesShed,
    /// Notices that came from the broker.
    Notices,
    /// Seconds since notices were missed of which we are told or find out; by `of`: one sale, or all.
    MissedSeconds,
    /// Sockets whose last told truth was compared with the ledger.
    Compared,
    /// Of these, those that did not know the last one yet. One whose notice is on its way is among them.
    Behind,
    /// Registrations that wait for notices now.
    Registrations,
    /// Requests that could not wait for a notice because too many do: answered at once.
    WaitsShed,
    /// Lists made for operators, by `list` and `outcome`: done, broken, or left by whoever asked.
    Exports,
    /// Rows of these lists, by `list`.
    ExportedRows,
    /// Seconds a list took, by `list`, its reader's time included.
    ExportSeconds,
    /// Seconds a sale's report took.
    ReportSeconds,
    /// Requests with an `Idempotency-Key`, by `outcome`.
    Requests,
    /// Sockets that are open now.
    Sockets,
    /// Sockets that were opened.
    SocketsOpened,
    /// Sockets that ended, by `why`: the word of the close frame, or `gone`.
    SocketsClosed,
    /// Requests that did not become sockets, by `why`: `origin`, `full`, `stopping`.
    SocketsRefused,
    /// Messages told through sockets.
    SocketMessages,
    /// What the payment provider told, by `outcome`.
    Words,
}

impl Metric {
    pub const ALL: &'static [Metric] = &[
        Metric::Checkouts,
        Metric::CheckoutSeconds,
        Metric::Entries,
        Metric::EntriesThrottled,
        Metric::HashesShed,
        Metric::Notices,
        Metric::MissedSeconds,
        Metric::Compared,
        Metric::Behind,
        Metric::Registrations,
        Metric::WaitsShed,
        Metric::Exports,
        Metric::ExportedRows,
        Metric::ExportSeconds,
        Metric::ReportSeconds,
        Metric::Requests,
        Metric::Sockets,
        Metric::SocketsOpened,
        Metric::SocketsClosed,
        Metric::SocketsRefused,
        Metric::SocketMessages,
        Metric::Words,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Checkouts => "miaosha_gateway_checkouts_total",
            Metric::CheckoutSeconds => "miaosha_gateway_checkout_duration_seconds",
            Metric::Entries => "miaosha_gateway_entries_total",
            Metric::EntriesThrottled => "miaosha_gateway_entries_throttled_total",
            Metric::HashesShed => "miaosha_gateway_hashes_shed_total",
            Metric::Notices => "miaosha_gateway_notices_total",
            Metric::MissedSeconds => "miaosha_gateway_missed_notices_seconds",
            Metric::Compared => "miaosha_gateway_compared_sockets_total",
            Metric::Behind => "miaosha_gateway_sockets_behind_total",
            Metric::Registrations => "miaosha_gateway_registrations",
            Metric::WaitsShed => "miaosha_gateway_waits_shed_total",
            Metric::Exports => "miaosha_gateway_exports_total",
            Metric::ExportedRows => "miaosha_gateway_exported_rows_total",
            Metric::ExportSeconds => "miaosha_gateway_export_duration_seconds",
            Metric::ReportSeconds => "miaosha_gateway_report_duration_seconds",
            Metric::Requests => "miaosha_gateway_requests_total",
            Metric::Sockets => "miaosha_gateway_sockets",
            Metric::SocketsOpened => "miaosha_gateway_sockets_opened_total",
            Metric::SocketsClosed => "miaosha_gateway_sockets_closed_total",
            Metric::SocketsRefused => "miaosha_gateway_sockets_refused_total",
            Metric::SocketMessages => "miaosha_gateway_socket_messages_total",
            Metric::Words => "miaosha_gateway_webhooks_total",
        }
    }

    fn describe(self) {
        let name = self.name();
        match self {
            Metric::Checkouts => metrics::describe_counter!(name, "Checkouts, by outcome."),
            Metric::CheckoutSeconds => {
                metrics::describe_histogram!(name, Unit::Seconds, "Time of a checkout, the provider's included.");
            }
            Metric::Entries => metrics::describe_counter!(name, "Sign-ups and logins, by what and outcome."),
            Metric::EntriesThrottled => metrics::describe_counter!(name, "Tries to get in that came too soon."),
            Metric::HashesShed => metrics::describe_counter!(name, "Requests turned away before hashing a password."),
            Metric::Notices => metrics::describe_counter!(name, "Notices that came from the broker."),
            Metric::MissedSeconds => {
                metrics::describe_histogram!(
                    name,
                    Unit::Seconds,
                    "How long ago notices were missed, by what is known of."
                );
            }
            Metric::Compared => metrics::describe_counter!(name, "Sockets compared with the ledger."),
            Metric::Behind => metrics::describe_counter!(name, "Sockets that were found not to know the last truth."),
            Metric::Registrations => metrics::describe_gauge!(name, "Registrations that wait for notices now."),
            Metric::WaitsShed => {
                metrics::describe_counter!(name, "Requests that were not allowed to wait for a notice.")
            }
            Metric::Exports => metrics::describe_counter!(name, "Lists made for operators, by list and outcome."),
            Metric::ExportedRows => metrics::describe_counter!(name, "Rows of lists for operators, by list."),
            Metric::ExportSeconds => metrics::describe_histogram!(name, Unit::Seconds, "Time of a list, by list."),
            Metric::ReportSeconds => metrics::describe_histogram!(name, Unit::Seconds, "Time of a sale's report."),
            Metric::Requests => metrics::describe_counter!(name, "Requests with an Idempotency-Key, by outcome."),
            Metric::Sockets => metrics::describe_gauge!(name, "Sockets that are open now."),
            Metric::SocketsOpened => metrics::describe_counter!(name, "Sockets that were opened."),
            Metric::SocketsClosed => metrics::describe_counter!(name, "Sockets that ended, by why."),
            Metric::SocketsRefused => metrics::describe_counter!(name, "Requests that did not become sockets, by why."),
            Metric::SocketMessages => metrics::describe_counter!(name, "Messages told through sockets."),
            Metric::Words => metrics::describe_counter!(name, "Calls of the payment provider, by what came of them."),
        }
    }
}

/// Once, after the recorder is installed.
pub fn describe() {
    Metric::ALL.iter().copied().for_each(Metric::describe);
    // There from the beginning, so that the first one is seen.
    for metric in [
        Metric::Compared,
        Metric::Behind,
        Metric::HashesShed,
        Metric::WaitsShed,
        Metric::SocketsOpened,
        Metric::EntriesThrottled,
    ] {
        metrics::counter!(metric.name()).increment(0);
    }
    sale::describe();
    money::describe();
    for why in ["silent", "too_slow", "gone"] {
        metrics::counter!(Metric::SocketsClosed.name(), "why" => why).increment(0);
    }
    for why in ["origin", "full", "stopping"] {
        metrics::counter!(Metric::SocketsRefused.name(), "why" => why).increment(0);
    }
    metrics::gauge!(Metric::Sockets.name()).increment(0.0);
}
