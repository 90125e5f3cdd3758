//! The DSSE envelope: a payload with its type and a signature over both
//! (<https://github.com/secure-systems-lab/dsse>, protocol 1.0.0).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{KeyError, Purpose, Signer, Verifier};

/// The media type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Why an envelope is none, or says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is not written in the one way that this program writes envelopes.
    #[error("read the envelope: {0}")]
    Format(&'static str),
    /// The signature does not hold.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A signed payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The bytes that were signed.
    pub payload: Vec<u8>,
    key_id: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    payload: String,
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Signs a payload.
    pub fn sign(payload: Vec<u8>, signer: &Signer) -> Self {
        let signature = signer.sign(Purpose::Statement, &authenticated(&payload));
        Self { payload, key_id: signer.key_id(), signature }
    }

    /// The envelope's file: one line of JSON.
    pub fn to_json(&self) -> String {
        let signature = WireSignature { keyid: self.key_id.clone(), sig: self.signature.clone() };
        let payload = STANDARD.encode(&self.payload);
        let wire = Wire { payload, payload_type: PAYLOAD_TYPE.to_owned(), signatures: vec![signature] };
        let json = serde_json::to_string(&wire);
        json.unwrap_or_else(|error| unreachable!("an envelope is plain text: {error}")) + "\n"
    }

    /// Reads an envelope's file.
    ///
    /// # Errors
    /// `Format` unless it is exactly what [`Envelope::to_json`] writes: no other field, no blank, no second way to
    /// write the same base64.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let fault = EnvelopeError::Format;
        let wire: Wire =
            serde_json::from_slice(bytes).map_err(|_| fault("it is not a JSON object with the fields of DSSE"))?;
        if wire.payload_type != PAYLOAD_TYPE {
            return Err(fault("its payload is not an in-toto statement"));
        }
        let [signature] = wire.signatures.try_into().map_err(|_| fault("it has not one signature"))?;
        let payload = STANDARD.decode(&wire.payload).map_err(|_| fault("its payload is not base64"))?;
        let WireSignature { keyid: key_id, sig: signature } = signature;
        let read = Self { payload, key_id, signature };
        // Whatever could be written in another way was not.
        if read.to_json().as_bytes() == bytes { Ok(read) } else { Err(fault("it is not written as envelopes are")) }
    }

    /// Holds the signature against the known keys; the key that made it.
    ///
    /// # Errors
    /// `UnknownKey` when none of them has the id of the signature, `Signature` when it does not fit.
    pub fn verify<'a>(&self, known: &'a [Verifier]) -> Result<&'a Verifier, EnvelopeError> {
        let key = known.iter().find(|key| key.key_id() == self.key_id).ok_or(KeyError::UnknownKey)?;
        key.verify(Purpose::Statement, &authenticated(&self.payload), &self.signature)?;
        Ok(key)
    }
}

/// The pre-authentication encoding without its first word, which [`Purpose::Statement`] adds.
fn authenticated(payload: &[u8]) -> Vec<u8> {
    let head = format!("{} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::from_seed(&[7; 32])
    }

    fn read(bytes: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        let envelope = Envelope::parse(bytes)?;
        envelope.verify(&[*signer().verifier()])?;
        Ok(envelope.payload)
    }

    #[test]
    fn what_is_signed_is_the_encoding_of_the_specification() {
        let signed = [Purpose::Statement.context().as_bytes(), &authenticated(b"hello world")].concat();
        assert_eq!(signed, b"DSSEv1 28 application/vnd.in-toto+json 11 hello world");
    }

    #[test]
    fn rel_a1_any_changed_byte_of_an_envelope_is_refused() {
        let bytes = Envelope::sign(b"{\"a\":1}".to_vec(), &signer()).to_json().into_bytes();
        assert_eq!(read(&bytes), Ok(b"{\"a\":1}".to_vec()));
        for at in 0..bytes.len() {
            for change in [1, 2, 32, 128] {
                let mut other = bytes.clone();
                other[at] ^= change;
                assert!(read(&other).is_err(), "byte {at}");
            }
            assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(read(&[&bytes[..], b" "].concat()).is_err());
        assert!(read(&[b" ", &bytes[..]].concat()).is_err());
    }

    #[test]
    fn another_key_or_a_second_signature_is_refused() {
        let envelope = Envelope::sign(b"{}".to_vec(), &signer());
        let other = *Signer::from_seed(&[8; 32]).verifier();
        assert_eq!(envelope.verify(&[other]), Err(KeyError::UnknownKey.into()));
        let json = envelope.to_json();
        let (start, end) = (json.find("{\"keyid").expect("a signature"), json.rfind(']').expect("an end"));
        let twice = format!("{},{}", &json[..end], &json[start..]);
        assert_eq!(read(twice.as_bytes()), Err(EnvelopeError::Format("it has not one signature")));
    }
}
