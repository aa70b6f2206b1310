//! Who may make which call of operators: every such call of the document, by each role, by a shopper and by no token at all.

use actix_web::http::Method;
use miaosha::domain::people::{Permission, Role};
use miaosha::domain::shared::id::BuyerId;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture};
use crate::support::clock::START;
use crate::support::openapi::DOCUMENT;

/// Written down once more, so that no call changes hands unseen.
const CALLS: [(&str, &str, &str); 42] = [
    ("post", "/admin/cleanup-tickets", "repair"),
    ("get", "/admin/pdf-stats", "read"),
    ("post", "/admin/seed-fallback", "repair"),
    ("get", "/v1/admin/audit", "read"),
    ("get", "/v1/admin/drafts", "read"),
    ("post", "/v1/admin/items", "sell"),
    ("get", "/v1/admin/journal", "journal"),
    ("get", "/v1/admin/journal.csv", "journal"),
    ("get", "/v1/admin/orders/{number}", "read"),
    ("post", "/v1/admin/orders/{number}/refunds", "refund"),
    ("get", "/v1/admin/parked", "read"),
    ("post", "/v1/admin/parked/replay", "repair"),
    ("post", "/v1/admin/plans", "sell"),
    ("post", "/v1/admin/receipts/cleanup", "repair"),
    ("get", "/v1/admin/receipts/stats", "read"),
    ("get", "/v1/admin/refunds", "read"),
    ("post", "/v1/admin/refunds/{refund}/retry", "refund"),
    ("post", "/v1/admin/refunds/{refund}/settlement", "refund"),
    ("post", "/v1/admin/sales", "sell"),
    ("get", "/v1/admin/sales/{id}", "read"),
    ("patch", "/v1/admin/sales/{id}", "sell"),
    ("get", "/v1/admin/sales/{id}/blocks", "read"),
    ("post", "/v1/admin/sales/{id}/blocks", "block"),
    ("delete", "/v1/admin/sales/{id}/blocks/{block}", "block"),
    ("get", "/v1/admin/sales/{id}/check-in-conflicts", "read"),
    ("get", "/v1/admin/sales/{id}/check-in-undos", "read"),
    ("post", "/v1/admin/sales/{id}/close", "sell"),
    ("get", "/v1/admin/sales/{id}/exports/check-ins.csv", "export"),
    ("get", "/v1/admin/sales/{id}/exports/orders.csv", "export"),
    ("get", "/v1/admin/sales/{id}/exports/reservations.csv", "export"),
    ("get", "/v1/admin/sales/{id}/gate-pack", "check_in"),
    ("get", "/v1/admin/sales/{id}/holders", "steward"),
    ("get", "/v1/admin/sales/{id}/live", "read"),
    ("post", "/v1/admin/sales/{id}/pause", "sell"),
    ("post", "/v1/admin/sales/{id}/publish", "sell"),
    ("post", "/v1/admin/sales/{id}/raise", "sell"),
    ("get", "/v1/admin/sales/{id}/report", "read"),
    ("post", "/v1/admin/sales/{id}/resume", "sell"),
    ("post", "/v1/check-ins", "check_in"),
    ("post", "/v1/check-ins/by-order", "check_in"),
    ("post", "/v1/check-ins/merge", "check_in"),
    ("post", "/v1/check-ins/undo", "steward"),
];

struct Call {
    method: &'static str,
    path: &'static str,
    permission: Permission,
    roles: Value,
    about: &'static str,
}

/// As the document tells them, in its order.
fn calls() -> Vec<Call> {
    let mut calls = Vec::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            let Some(permission) = call["security"].pointer("/0/access/0") else { continue };
            calls.push(Call {
                method,
                path,
                permission: Permission::of_name(permission.as_str().unwrap()).unwrap(),
                roles: call["x-roles"].clone(),
                about: call["description"].as_str().unwrap(),
            });
        }
    }
    calls.sort_by_key(|call| (call.path, call.method != "get", call.method != "post"));
    calls
}

#[test]
fn each_call_names_its_permission_and_its_roles() {
    let told: Vec<_> = calls().iter().map(|call| (call.method, call.path, call.permission.name())).collect();
    assert_eq!(told, CALLS);
    for Call { path, permission, roles, about, .. } in calls() {
        let names: Vec<_> = permission.roles().iter().map(|role| role.name()).collect();
        assert_eq!(roles, json!(names), "{path}");
        assert!(
            about.ends_with(&format!("Permission `{}`; roles: {}.", permission.name(), names.join(", "))),
            "{about}"
        );
    }
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let is_of_operators = ["/admin/", "/v1/admin/", "/v1/check-ins"].iter().any(|begin| path.starts_with(begin));
        for call in item.as_object().unwrap().values() {
            assert_eq!(call.get("x-roles").is_some(), is_of_operators, "{path}");
        }
    }
}

#[actix_web::test]
async fn each_call_is_for_its_roles_and_for_no_other() {
    let fixture = Fixture::new().await;
    fixture.sale(1, 0).await;
    for Call { method, path, permission, .. } in calls() {
        let asked = path.replace("{id}", "1").replace("{number}", "0000-0000-0000");
        let asked = asked.replace("{refund}", &format!("{:032x}", 1)).replace("{block}", &format!("{:032x}", 1));
        let method: Method = method.to_uppercase().parse().unwrap();
        let send = |token: Option<&str>| {
            fixture.send(fixture.request(method.clone(), &asked, token).set_json(json!({ "older_than_hours": 1 })))
        };
        send(None).await.is_problem(401, "unauthorized");
        send(Some("nonsense")).await.is_problem(401, "unauthorized");
        for role in Role::ALL {
            let token = fixture.keys.sign_access(BuyerId(1_000_000), role, START, 86_400_000);
            let answer: Answer = send(Some(&token)).await;
            if permission.roles().contains(&role) {
                let is_another = ![401, 403].contains(&answer.status.as_u16()) && answer.status.as_u16() < 500;
                assert!(is_another, "{method} {asked} by {role}: {} {}", answer.status, answer.body);
                continue;
            }
            answer.is_problem(403, "forbidden");
            let said = answer.body["detail"].as_str().unwrap();
            let named = role == Role::Shopper || said.contains(permission.name()) && said.contains(role.name());
            assert!(named, "{method} {asked} by {role}: {said}");
        }
    }
}

/// A door's own answer under a key is not given to who may no more.
#[actix_web::test]
async fn what_was_done_once_is_told_to_nobody_who_may_not() {
    let fixture = Fixture::new().await;
    let by = |role: Role| fixture.keys.sign_access(BuyerId(1_000_000), role, START, 86_400_000);
    let lamp = json!({ "title": "A lamp", "description": "" });
    fixture.post_under("k", "/v1/admin/items", &by(Role::Desk), &lamp).await.is(201);
    for role in [Role::Door, Role::Viewer, Role::Shopper] {
        fixture.post_under("k", "/v1/admin/items", &by(role), &lamp).await.is_problem(403, "forbidden");
    }
    fixture.post_under("k", "/v1/admin/items", &by(Role::Owner), &lamp).await.is(201);
}
