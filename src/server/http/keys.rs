//! The server's public keys, which tablets pin and outsiders verify with.

use actix_web::{HttpResponse, web::Data};
use serde::Serialize;

use super::Shared;
use crate::server::PublicKey;

/// Every public key, the oldest first; the last is in use.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct KeysBody {
    keys: Vec<KeyBody>,
    /// What tablets seal packages to.
    sealing: Option<SealingKeyBody>,
}

/// The public key of HPKE in base mode: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SealingKeyBody {
    /// Eight hex digits.
    id: String,
    /// An uncompressed point, base64.
    key: String,
}

/// A public key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct KeyBody {
    /// Eight hex digits, as in receipts.
    id: String,
    /// `ed25519`.
    algorithm: &'static str,
    /// `scilit+id+base64` of the byte 1 and the thirty-two bytes of the key.
    key: String,
    /// Since when it signs.
    from_ms: i64,
    /// Until when it signed; null while it is in use.
    until_ms: Option<i64>,
}

impl From<&PublicKey> for KeyBody {
    fn from(known: &PublicKey) -> Self {
        let (id, key) = (known.key.key_id(), known.key.to_string());
        Self { id, algorithm: "ed25519", key, from_ms: known.from_ms, until_ms: known.until_ms }
    }
}

/// The keys as answers show them.
pub(super) fn all(shared: &Shared) -> Vec<KeyBody> {
    shared.keys.public().iter().map(KeyBody::from).collect()
}

/// The key to seal to, as answers show it.
pub(super) fn sealing(shared: &Shared) -> Option<SealingKeyBody> {
    shared.sealing.in_use().map(|(id, key)| SealingKeyBody { id: id.to_owned(), key: key.to_owned() })
}

/// The server's public keys.
#[utoipa::path(get, path = "/api/v1/keys", tag = "evidence", responses((status = 200, description = "The keys.", body = KeysBody)))]
pub(super) async fn list(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(KeysBody { keys: all(&shared), sealing: sealing(&shared) })
}
