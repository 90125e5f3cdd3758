//! What a run is asked, read from the body of its request; no body asks for the defaults.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use serde::Deserialize;
use validator::Validate;

use super::{Problem, Shared, codes, extract::Checked};
use crate::{
    indicator::{SampleRelation, VarianceChoice},
    server::{
        Fault, Refusal, Text,
        jobs::{EarlierRun, Include, RunRequest},
    },
    storage::Survey,
};

/// Each replicate is a weighting of its own; more say nothing that a thousand do not.
const REPLICATES_MAX: u16 = 1000;

/// What a run is asked beyond its survey.
#[derive(Debug, Default, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunRequestBody {
    /// Taylor linearization when absent.
    #[serde(default)]
    variance: Option<VarianceBody>,
    /// Which interviews count; those approved by two persons when absent.
    #[serde(default)]
    include: Include,
    /// An earlier run, scored by the same profile, to compare with.
    #[serde(default)]
    earlier: Option<EarlierBody>,
}

/// The variance method.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
enum VarianceBody {
    /// Linearization.
    Taylor {},
    /// Delete one primary sampling unit at a time.
    Jkn {},
    /// Rao and Wu's bootstrap.
    Bootstrap {
        /// 2 to 1000.
        #[schema(minimum = 2, maximum = 1000)]
        replicates: u16,
        /// The same seed gives the same bits.
        seed: u64,
    },
}

/// The earlier run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct EarlierBody {
    /// Its id.
    run: String,
    /// How the samples stand to each other; independent when absent.
    #[serde(default)]
    samples: SamplesBody,
}

/// How two samples stand to each other.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum SamplesBody {
    /// Drawn independently.
    #[default]
    Independent,
    /// Units with the same stratum and id are the same places.
    SharedPsus,
}

impl FromRequest for RunRequestBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let head = request.headers();
        let length = head.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if length.is_none_or(|length| length == "0") && !head.contains_key(header::TRANSFER_ENCODING) {
            return Box::pin(std::future::ready(Ok(Self::default())));
        }
        let read = Checked::<Self>::from_request(request, payload);
        Box::pin(async move { read.await.map(|Checked(body)| body) })
    }
}

impl RunRequestBody {
    /// The request, once what it names is there and fits the survey.
    pub(super) fn checked(self, shared: &Shared, survey: &Survey) -> Result<Result<RunRequest, Problem>, Refusal> {
        let variance = match self.variance {
            None | Some(VarianceBody::Taylor {}) => VarianceChoice::Taylor,
            Some(VarianceBody::Jkn {}) => VarianceChoice::Jkn,
            Some(VarianceBody::Bootstrap { replicates, seed }) => {
                if !(2..=REPLICATES_MAX).contains(&replicates) {
                    let zh = format!("重复样本数应为 2–{REPLICATES_MAX}");
                    let en = format!("a bootstrap has 2 to {REPLICATES_MAX} replicates");
                    return Ok(Err(fault("out-of-range", "/variance/replicates", Text::new(zh, en))));
                }
                VarianceChoice::Bootstrap { replicates, seed }
            }
        };
        let include = self.include;
        let Some(EarlierBody { run, samples }) = self.earlier else {
            return Ok(Ok(RunRequest { variance, include, earlier: None }));
        };
        if let Some(refused) = check_earlier(shared, survey, &run)? {
            return Ok(Err(refused));
        }
        let samples = match samples {
            SamplesBody::Independent => SampleRelation::Independent,
            SamplesBody::SharedPsus => SampleRelation::SharedPsus,
        };
        Ok(Ok(RunRequest { variance, include, earlier: Some(EarlierRun { run, samples }) }))
    }
}

fn check_earlier(shared: &Shared, survey: &Survey, run: &str) -> Result<Option<Problem>, Refusal> {
    let at = "/earlier/run";
    let earlier = if run.contains('\0') { None } else { shared.database.run(run)? };
    let Some(earlier) = earlier.filter(|earlier| earlier.state == "succeeded") else {
        let text = Text::new("没有这次已完成的计算", "no run with this id has succeeded");
        return Ok(Some(fault("unknown-run", at, text)));
    };
    let of = shared.database.survey(&earlier.survey_id)?;
    let profile = |survey: &Survey| (survey.profile_id.clone(), survey.profile_version.clone());
    if of.is_none_or(|of| profile(&of) != profile(survey)) {
        let zh = "两次调查的计分方案不同，不能比较";
        let text = Text::new(zh, "the two surveys are scored by different profiles and cannot be compared");
        return Ok(Some(fault("other-profile", at, text)));
    }
    Ok(None)
}

fn fault(code: &str, pointer: &str, text: Text) -> Problem {
    Problem::of(&codes::INVALID).with(vec![Fault::new(code, text).at(pointer)])
}
