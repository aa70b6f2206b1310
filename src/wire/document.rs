//! The description of every call: the parts of the faces, merged. Tests compare it with the routes and with every answer they
//! see.

use std::sync::LazyLock;

use serde_json::json;

use crate::domain::people::Permission;
use crate::faces::front::Settings;
use crate::faces::{box_office, publisher};
use crate::kit::http::document::Document;
use crate::wire::gateway;

/// Made when it is asked for first.
pub static DOCUMENT: LazyLock<Document> = LazyLock::new(document);

fn document() -> Document {
    let bytes_max = Settings::default().body_bytes_max;
    let attempt_bytes_max = publisher::Settings::default().body_bytes_max;
    let about = format!(
        "Times are milliseconds since 1970, money is minor units with a currency and its number of decimals. A body is at most \
         {bytes_max} bytes long ({attempt_bytes_max} for an attempt). Whatever is refused is answered by an RFC 9457 problem of a \
         closed list of types; a path that is not here by 404, another method by 405."
    );
    let info = json!({
        "title": "miaosha", "version": "1", "summary": "Sells scarce things to a million people at once.", "description": about,
    });
    let mut parts = gateway::parts();
    // The button belongs to what is sold.
    let after_shop = parts.iter().position(|part| part.name == "shop").map_or(parts.len(), |place| place + 1);
    parts.insert(after_shop, publisher::part());
    parts.push(box_office::part());
    Document::new(info, parts, roles)
}

fn roles(permission: &str) -> Vec<&'static str> {
    let permission = Permission::of_name(permission).expect("calls name permissions of the table");
    permission.roles().iter().map(|role| role.name()).collect()
}
