//! Everybody and their tablets, read once for whoever has to name them, and what the field work says of each.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Refusal,
    progress::{CaseStanding, DeviceProgress, SurveyorProgress},
};
use crate::storage::{Database, Device, PersonName, SentCount, Visit};

/// Everybody and every tablet, read once.
#[derive(Debug)]
pub struct People {
    persons: BTreeMap<String, PersonName>,
    devices: Vec<Device>,
    owners: BTreeMap<String, String>,
}

impl People {
    /// Reads them.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn read(database: &Database) -> Result<Self, Refusal> {
        let persons = database.person_names()?.into_iter().map(|person| (person.id.clone(), person)).collect();
        let devices = database.every_device()?;
        let owners = devices.iter().map(|device| (device.id.clone(), device.person_id.clone())).collect();
        Ok(Self { persons, devices, owners })
    }

    /// The person behind an id of theirs or of a tablet of theirs; a token's id stays as it is.
    #[must_use]
    pub fn person_of<'s>(&'s self, id: &'s str) -> &'s str {
        self.owners.get(id).map_or(id, String::as_str)
    }

    /// The name behind an id of a person or a tablet.
    #[must_use]
    pub fn name_of(&self, id: &str) -> Option<&str> {
        self.persons.get(self.person_of(id)).map(|person| person.display_name.as_str())
    }

    pub(super) fn surveyors(
        &self,
        cases: &[CaseStanding],
        visits: &[Visit],
        sent: &[SentCount],
    ) -> Vec<SurveyorProgress> {
        let mut rows: BTreeMap<String, SurveyorProgress> = BTreeMap::new();
        for case in cases {
            let Some(holder) = &case.case.holder else { continue };
            let row = rows.entry(holder.clone()).or_default();
            row.assigned += 1;
            row.open += u64::from(case.case.interview.is_none());
        }
        for visit in visits {
            let row = rows.entry(visit.person_id.clone()).or_default();
            row.visits += 1;
            row.refusals += u64::from(visit.outcome.starts_with("2.1"));
            row.last_visit_ms = row.last_visit_ms.max(Some(visit.at_ms));
        }
        for count in sent {
            let sender = self.person_of(count.sender.as_deref().unwrap_or_default());
            rows.entry(sender.to_owned()).or_default().count(count);
        }
        for device in self.devices.iter().filter(|device| device.status == "active") {
            let Some(row) = rows.get_mut(&device.person_id) else { continue };
            row.unsent += device.queue_len.unwrap_or(0);
            row.last_seen_ms = row.last_seen_ms.max(Some(device.last_seen_ms));
        }
        let named = |(id, row): (String, SurveyorProgress)| {
            let person = self.persons.get(&id);
            let name = person.map(|person| person.display_name.clone());
            SurveyorProgress { name, work_id: person.and_then(|person| person.work_id.clone()), id, ..row }
        };
        let mut rows: Vec<SurveyorProgress> = rows.into_iter().map(named).collect();
        rows.sort_by(|a, b| {
            let key =
                |row: &SurveyorProgress| (row.name.is_none(), row.work_id.clone(), row.name.clone(), row.id.clone());
            key(a).cmp(&key(b))
        });
        rows
    }

    pub(super) fn devices(&self, surveyors: &[SurveyorProgress]) -> Vec<DeviceProgress> {
        let working: BTreeSet<&str> = surveyors.iter().map(|row| row.id.as_str()).collect();
        let of = |device: &Device| DeviceProgress {
            id: device.id.clone(),
            label: device.label.clone(),
            user: device.person_id.clone(),
            name: self.name_of(&device.person_id).map(str::to_owned),
            status: device.status.clone(),
            last_seen_ms: device.last_seen_ms,
            queue_len: device.queue_len,
            oldest_unsent_ms: device.oldest_unsent_ms,
        };
        let theirs = self.devices.iter().filter(|device| working.contains(device.person_id.as_str()));
        let mut rows: Vec<DeviceProgress> = theirs.map(of).collect();
        rows.sort_by(|a, b| (a.last_seen_ms, &a.id).cmp(&(b.last_seen_ms, &b.id)));
        rows
    }
}

impl SurveyorProgress {
    fn count(&mut self, of: &SentCount) {
        let n = u64::try_from(of.count).unwrap_or(0);
        if of.state == "void" {
            return;
        }
        self.interviews += n;
        self.disputed += if of.has_conflict || of.void_by.is_some() { n } else { 0 };
        match of.state.as_str() {
            "approved_l2" | "locked" => self.approved += n,
            "parsed" | "under_review" => self.waiting += n,
            "returned" => self.returned += n,
            "quarantined" => self.quarantined += n,
            "surplus" => self.surplus += n,
            _ => {}
        }
    }
}
