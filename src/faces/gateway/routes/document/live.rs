//! The sockets' part of the document.

use utoipa::OpenApi;

use crate::faces::gateway::routes::sockets;

#[derive(OpenApi)]
#[openapi(paths(sockets::get_socket))]
pub struct Live;
