//! How it goes: whether the parts answer, and what is sold and left.

use std::time::Duration;

use actix_web::http::header::ACCEPT;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::faces::box_office::BoxOffice;
use crate::faces::box_office::routes::{newest, said};
use crate::faces::box_office::views::{FallbackView, HealthView, MetricsView, PartsView, Refusals, Said};
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::problem::Problem;

/// A part that is silent for longer is away.
const PING_WAIT: Duration = Duration::from_secs(1);
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/health").route(web::get().to(get_health)))
        .service(path("/metrics").route(web::get().to(get_metrics)));
}

/// Whether all parts answer
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "box_office_health",
    responses(
        (status = 200, description = "All parts answer.", body = Said<HealthView>),
        (status = 503, description = "Some part does not.", body = Said<HealthView>),
    ),
)]
async fn get_health(office: Data<BoxOffice>) -> Reply {
    let ask = async {
        let turnstile = tokio::time::timeout(PING_WAIT, office.needs().turnstile.ping());
        let turnstile = matches!(turnstile.await, Ok(Ok(())));
        let (ledger, queue) = (!office.problems().contains(&"ledger"), office.needs().attempts.is_up());
        Ok(PartsView { turnstile, ledger, queue })
    };
    let parts = office.0.health.get((), ask).await?;
    let health = HealthView { parts, fallback: FallbackView::new(office.fallback().sales()) };
    Ok(match parts.all_answer() {
        true => Said::ok("ok", health),
        false => HttpResponse::ServiceUnavailable().json(Said::new("degraded", health)),
    })
}

/// What is sold and left of each event
///
/// From the ledger, the same whichever process answers. As JSON, or as text for Prometheus where `Accept` names `text/plain` or
/// `application/openmetrics-text`. The events are those of `GET /events`.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "box_office_metrics",
    responses(
        (status = 200, description = "Figures.", content((MetricsView = "application/json"), (String = "text/plain"))),
        Refusals,
    ),
)]
async fn get_metrics(req: HttpRequest, office: Data<BoxOffice>) -> Reply {
    let accepted = req.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let is_text = accepted.flat_map(|value| value.split(',')).any(names_text);
    let answer = |figures: MetricsView| match is_text {
        true => HttpResponse::Ok().content_type(TEXT).body(text(&figures)),
        false => HttpResponse::Ok().json(figures),
    };
    said(&office, &req, figures(&office).await.map(answer))
}

fn names_text(range: &str) -> bool {
    let kind = range.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/plain") || kind.eq_ignore_ascii_case("application/openmetrics-text")
}

pub async fn figures(office: &BoxOffice) -> Result<MetricsView, Problem> {
    let fallback_activations = office.fallback().activations();
    let mut figures = MetricsView { fallback_activations, errors: office.errors(), ..MetricsView::default() };
    for shown in newest(office).await? {
        let event = shown.sale.id.to_string();
        figures.tickets_sold.insert(event.clone(), shown.sold);
        figures.tickets_remaining.insert(event, shown.left);
    }
    Ok(figures)
}

/// A family is its help, its type, and a line for each event.
fn text(figures: &MetricsView) -> String {
    use std::fmt::Write;

    let mut text = String::new();
    let by_event = [
        ("tickets_sold", "Tickets that are paid for.", &figures.tickets_sold),
        ("tickets_remaining", "Tickets that can be had.", &figures.tickets_remaining),
    ];
    let whole = [
        (
            "fallback_activations",
            "Times that an event began to be decided from memory, as seen by this process.",
            figures.fallback_activations,
        ),
        ("errors", "Calls that failed in this process.", figures.errors),
    ];
    for (name, help, counts) in by_event {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        counts.iter().for_each(|(event, count)| {
            let _ = writeln!(text, "{name}{{eventId=\"{event}\"}} {count}");
        });
    }
    for (name, help, count) in whole {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {count}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let counts = |count| [("1".to_owned(), count)].into();
        let figures =
            MetricsView { tickets_sold: counts(3), tickets_remaining: counts(7), fallback_activations: 0, errors: 2 };
        let text = text(&figures);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let wanted = [
            "tickets_sold{eventId=\"1\"} 3",
            "tickets_remaining{eventId=\"1\"} 7",
            "fallback_activations 0",
            "errors 2",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn who_reads_text_names_it() {
        for (range, is_text) in [("text/plain;version=0.0.4;q=0.5", true), (" application/openmetrics-text; a=b", true)]
        {
            assert_eq!(names_text(range), is_text, "{range}");
        }
        for range in ["*/*", "application/json", "text/*", "text/html", ""] {
            assert!(!names_text(range), "{range}");
        }
    }
}
