//! How the field work stands, for the desk.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use serde::{Deserialize, Serialize};

use super::{
    Problem, Shared,
    audited::intend_download,
    extract::{Asker, AtSurvey, call},
    problem::{self, ProblemBody},
    responses,
};
use crate::{
    evidence::sha256_hex,
    export::{Cell, Table, to_csv},
    indicator::{Label, files::Regions},
    server::{
        People, Text,
        progress::{self, CaseStanding, DistrictProgress, Progress},
    },
};

/// Counts how the field work of a survey stands, within the asker's region.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/progress", tag = "progress",
    params(("id" = String, Path, description = "The survey.")),
    responses((status = 200, description = "By district, by surveyor, and their tablets.", body = Progress), (status = 404, description = "No such survey.", body = ProblemBody))
)]
pub(super) async fn show(shared: Data<Shared>, asker: Asker, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    let progress = call(&shared, move |shared| {
        let scope = asker.reviewer(&shared.database)?.scope;
        progress::progress(&shared.database, &survey.0, &scope, &shared.clock)
    });
    Ok(HttpResponse::Ok().json(progress.await?))
}

/// The same by district as CSV.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/progress.csv", tag = "progress",
    params(("id" = String, Path, description = "The survey.")),
    responses((status = 200, description = "The whole, then one row a district.", body = String, content_type = "text/csv"), (status = 404, description = "No such survey.", body = ProblemBody))
)]
pub(super) async fn csv(shared: Data<Shared>, asker: Asker, survey: AtSurvey) -> Result<HttpResponse, Problem> {
    let csv = call(&shared, move |shared| {
        let scope = asker.reviewer(&shared.database)?.scope;
        let found = progress::progress(&shared.database, &survey.0, &scope, &shared.clock)?;
        let csv = to_csv(&table(&found));
        let object = format!("survey/{}/progress.csv", survey.0.id);
        intend_download(shared, &asker.0, object, &sha256_hex(&csv))?;
        Ok(csv)
    });
    let csv = csv.await?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("cache-control", "no-store"));
    answer.insert_header(("content-disposition", "attachment; filename=\"progress.csv\""));
    Ok(answer.content_type("text/csv; charset=utf-8").body(csv))
}

fn table(progress: &Progress) -> Table {
    let mut table = Table::new([
        "district",
        "name_zh",
        "issued",
        "planned",
        "assigned",
        "tried",
        "contacted",
        "completed",
        "waiting",
        "returned",
        "approved",
        "completion",
        "rr1",
        "rr3",
        "coop1",
        "ref1",
        "con1",
    ]);
    for row in [&progress.whole].into_iter().chain(&progress.districts) {
        table.push(cells(row));
    }
    table
}

fn cells(row: &DistrictProgress) -> Vec<Cell> {
    let mut cells = vec![Cell::text(row.district.as_deref()), row.label.zh.as_str().into()];
    let counts = [
        row.issued,
        row.planned,
        row.assigned,
        row.tried,
        row.contacted,
        row.completed,
        row.waiting,
        row.returned,
        row.approved,
    ];
    cells.extend(counts.map(Cell::from));
    let rates = &row.rates;
    cells.extend([row.completion, rates.rr1, rates.rr3, rates.coop1, rates.ref1, rates.con1].map(Cell::number));
    cells
}

/// Which cases a list shows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CasesQuery {
    /// Rows at most, 1 to 200.
    #[serde(default = "responses::page_rows")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
    /// The `next` of the page before.
    #[serde(default)]
    after: String,
    /// Only those in this region: the first digits of its code.
    #[param(pattern = "^[0-9]{0,12}$")]
    district: Option<String>,
    /// Only those whose id begins so.
    prefix: Option<String>,
    /// Only those that nobody holds and to which somebody still has to go.
    #[serde(default)]
    unassigned: bool,
}

/// A case of the sample.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CaseBody {
    case: String,
    district: String,
    district_name: Text,
    psu: String,
    /// `urban` or `rural`.
    residence: String,
    /// Whether it is a reserve that was released.
    reserve: bool,
    /// Who holds it.
    holder: Option<String>,
    holder_name: Option<String>,
    visits: u64,
    /// What it came to so far: a code of the AAPOR's Standard Definitions.
    disposition: &'static str,
    disposition_label: Text,
    /// The state of the interview that counts for it.
    interview: Option<String>,
}

/// A page of cases in the order of their ids.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CasesBody {
    cases: Vec<CaseBody>,
    /// How many there are in all, on every page.
    total: usize,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// Lists the cases in force within the asker's region, with what became of each so far.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/cases", tag = "assignments",
    params(("id" = String, Path, description = "The survey."), CasesQuery),
    responses((status = 200, description = "A page.", body = CasesBody), (status = 404, description = "No such survey.", body = ProblemBody))
)]
pub(super) async fn cases(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    query: Query<CasesQuery>,
) -> Result<HttpResponse, Problem> {
    let CasesQuery { limit, after, district, prefix, unassigned } = query.into_inner();
    let rows_max = usize::try_from(responses::rows(limit)?).unwrap_or(0);
    let digits = |text: &String| text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if district.as_ref().is_some_and(|text| !digits(text)) {
        return Err(problem::out_of_range("district", "0–12 位数字"));
    }
    let body = call(&shared, move |shared| {
        let scope = asker.reviewer(&shared.database)?.scope;
        let (all, _) = progress::standings(&shared.database, &survey.0, &scope)?;
        let wanted = |one: &CaseStanding| {
            district.as_deref().is_none_or(|digits| one.case.district.starts_with(digits))
                && prefix.as_deref().is_none_or(|prefix| one.case.case_id.starts_with(prefix))
                && !(unassigned && (one.case.holder.is_some() || !one.is_open()))
        };
        let found: Vec<CaseStanding> = all.into_iter().filter(wanted).collect();
        let total = found.len();
        let later = found.into_iter().filter(|one| one.case.case_id.as_bytes() > after.as_bytes());
        let page: Vec<CaseStanding> = later.take(rows_max).collect();
        let (regions, people) = (progress::regions(&shared.database, &survey.0.id)?, People::read(&shared.database)?);
        let next = page.last().filter(|_| page.len() == rows_max).map(|one| one.case.case_id.clone());
        let cases = page.into_iter().map(|one| case_body(one, &regions, &people)).collect();
        Ok(CasesBody { cases, total, next })
    });
    Ok(HttpResponse::Ok().json(body.await?))
}

fn case_body(one: CaseStanding, regions: &Regions, people: &People) -> CaseBody {
    let CaseStanding { case, disposition, visits } = one;
    let Label { zh, en } = regions.name(&case.district);
    CaseBody {
        district_name: Text { zh, en },
        holder_name: case.holder.as_deref().and_then(|id| people.name_of(id)).map(str::to_owned),
        visits,
        disposition: disposition.code,
        disposition_label: Text::new(disposition.zh, disposition.en),
        interview: case.interview.map(|(state, _)| state),
        case: case.case_id,
        district: case.district,
        psu: case.psu,
        residence: case.residence,
        reserve: case.is_reserve,
        holder: case.holder,
    }
}

/// Somebody who may be given cases.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FieldPersonBody {
    id: String,
    display_name: String,
    work_id: Option<String>,
    /// Regions of the roles that take them into the field; an empty one is everywhere.
    scopes: Vec<String>,
    /// Tablets that are theirs and in use.
    devices: usize,
}

/// They, in the order of their names.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FieldPersonsBody {
    persons: Vec<FieldPersonBody>,
}

/// Lists the active surveyors and supervisors within the asker's region: who may be given cases or a tablet.
#[utoipa::path(
    get, path = "/api/v1/surveyors", tag = "assignments",
    responses((status = 200, description = "They.", body = FieldPersonsBody))
)]
pub(super) async fn field_persons(shared: Data<Shared>, asker: Asker) -> Result<HttpResponse, Problem> {
    let body = call(&shared, move |shared| {
        let scope = asker.reviewer(&shared.database)?.scope;
        let mut scopes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (person, _, of) in shared.database.field_grants(shared.clock.now_ms())? {
            if of.starts_with(&scope) {
                scopes.entry(person).or_default().push(of);
            }
        }
        let mut devices: BTreeMap<String, usize> = BTreeMap::new();
        for device in shared.database.every_device()?.into_iter().filter(|device| device.status == "active") {
            *devices.entry(device.person_id).or_default() += 1;
        }
        let mut persons: Vec<FieldPersonBody> = Vec::new();
        for person in shared.database.person_names()? {
            let Some(mut scopes) = scopes.remove(&person.id) else { continue };
            scopes.sort();
            scopes.dedup();
            let devices = devices.get(&person.id).copied().unwrap_or(0);
            let (id, display_name, work_id) = (person.id, person.display_name, person.work_id);
            persons.push(FieldPersonBody { id, display_name, work_id, scopes, devices });
        }
        persons.sort_by(|a, b| (&a.work_id, &a.display_name, &a.id).cmp(&(&b.work_id, &b.display_name, &b.id)));
        Ok(FieldPersonsBody { persons })
    });
    Ok(HttpResponse::Ok().json(body.await?))
}
