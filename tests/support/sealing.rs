//! Sealing as a tablet does it.

use base64::{Engine, engine::general_purpose::STANDARD};
use hpke::{
    Deserializable, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::DhP256HkdfSha256, rand_core,
    single_shot_seal,
};
use serde_json::{Value, json};

use super::app::TestApp;

/// "Random" bytes of a test.
struct Counting(u8);

impl rand_core::RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(31).wrapping_add(7);
        u32::from(self.0)
    }

    fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = self.next_u32().to_le_bytes()[0]);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Counting {}

impl TestApp {
    /// An envelope of this tablet's around the bytes, by the key that the server names.
    pub fn sealed(&self, tablet: &str, purpose: &str, names: &[&str], bytes: &[u8]) -> Value {
        let key = self.send(None, "GET", "/api/v1/keys", &[], b"").json()["sealing"].clone();
        let point = STANDARD.decode(key["key"].as_str().expect("a key")).expect("base64");
        let to = Deserializable::from_bytes(&point).expect("a point of the curve");
        let aad = [&[tablet], names].concat().join("\n");
        let (enc, data) = single_shot_seal::<AesGcm256, HkdfSha256, DhP256HkdfSha256, _>(
            &OpModeS::Base,
            &to,
            purpose.as_bytes(),
            bytes,
            aad.as_bytes(),
            &mut Counting(7),
        )
        .expect("sealed");
        let (enc, data) = (STANDARD.encode(enc.to_bytes()), STANDARD.encode(data));
        json!({ "tablet": tablet, "key": key["id"], "enc": enc, "data": data })
    }
}
