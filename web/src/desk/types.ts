// The answers of the server that the desk reads. The server's OpenAPI document is the authority.

export type Texts = Record<string, string>;
export const ROLES = ['surveyor', 'supervisor', 'analyst', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface Me {
  id: string;
  kind: 'person' | 'device' | 'service';
  login: string | null;
  display_name: string | null;
  work_id: string | null;
  roles: { role: Role; scope: string }[];
  csrf_token: string | null;
  session_ends_ms: number | null;
}

export interface Survey {
  id: string;
  code: string;
  title: string;
  place: string;
  questionnaire: string;
  profile_id: string;
  profile_version: string;
  fieldwork_from: string;
  fieldwork_to: string;
  example: boolean;
  state: 'open' | 'closed';
}

export interface SurveyFile {
  kind: string;
  version: number;
  sha256: string;
  received_at_ms: number;
}

export interface SurveyDetail {
  survey: Survey;
  questionnaires: string[];
  cases: number;
  files: SurveyFile[];
  map: SurveyFile | null;
}

export interface Rates {
  e: number | null;
  rr1: number | null;
  rr3: number | null;
  coop1: number | null;
  ref1: number | null;
  con1: number | null;
}

export interface DistrictRow {
  district: string | null;
  label: Texts;
  issued: number;
  planned: number;
  assigned: number;
  tried: number;
  contacted: number;
  completed: number;
  waiting: number;
  returned: number;
  approved: number;
  rates: Rates;
  completion: number | null;
}

export interface SurveyorRow {
  id: string;
  name: string | null;
  work_id: string | null;
  assigned: number;
  open: number;
  visits: number;
  last_visit_ms: number | null;
  interviews: number;
  approved: number;
  waiting: number;
  returned: number;
  quarantined: number;
  surplus: number;
  disputed: number;
  refusals: number;
  unsent: number;
  last_seen_ms: number | null;
}

export interface DeviceRow {
  id: string;
  label: string;
  user: string;
  name: string | null;
  status: string;
  last_seen_ms: number;
  queue_len: number | null;
  oldest_unsent_ms: number | null;
}

export interface Progress {
  as_of_ms: number;
  fieldwork_from: string;
  fieldwork_to: string;
  state: 'open' | 'closed';
  whole: DistrictRow;
  districts: DistrictRow[];
  surveyors: SurveyorRow[];
  devices: DeviceRow[];
}

export const STATES = [
  'received',
  'parsed',
  'quarantined',
  'surplus',
  'under_review',
  'returned',
  'approved_l1',
  'approved_l2',
  'locked',
  'void',
] as const;
export type State = (typeof STATES)[number];

export interface Response {
  id: string;
  state: State;
  conflict: boolean;
  rev: number;
  case: string | null;
  district: string | null;
  surveyor: string | null;
  void_requested: boolean;
  changed_at_ms: number;
}

export const WHYS = ['conflict', 'void_requested', 'surplus', 'quarantined', 'signs', 'first', 'second', 'to_lock'] as const;
export type Why = (typeof WHYS)[number];

export interface Queued {
  response: Response;
  why: string;
  signs: string[];
  surveyor_name: string | null;
  for_another: boolean;
}

export interface SentAnswer {
  i: string;
  v?: unknown;
  m?: string;
  ms?: number;
  n_changes?: number;
}

export interface Notice {
  code: string;
  message: Texts;
  item?: string;
  pointer?: string;
}

export interface Version {
  server_seq: number;
  rev: number;
  sha256: string;
  received_at_ms: number;
  conflict: boolean;
  notices: Notice[];
}

export interface ReviewStep {
  rev: number;
  action: string;
  from: State;
  to: State;
  by: string;
  role: string;
  reason_code: string | null;
  comment: string | null;
  item_comments: { item: string; comment: string }[] | null;
  at_ms: number;
}

export interface Detail {
  response: Response;
  survey: string | null;
  questionnaire: string | null;
  answers: SentAnswer[] | null;
  versions: Version[];
  review: ReviewStep[];
  signs: string[];
  timing: { started_ms: number | null; finished_ms: number | null; active_ms: number | null } | null;
  names: Record<string, string>;
}

export interface Difference {
  item: string | null;
  field: string | null;
  before: unknown;
  after: unknown;
}

export interface FieldPerson {
  id: string;
  display_name: string;
  work_id: string | null;
  scopes: string[];
  devices: number;
}

export interface CaseRow {
  case: string;
  district: string;
  district_name: Texts;
  psu: string;
  residence: string;
  reserve: boolean;
  holder: string | null;
  holder_name: string | null;
  visits: number;
  disposition: string;
  disposition_label: Texts;
  interview: State | null;
}

export interface Grant {
  id: string;
  role: Role;
  scope: string;
  state: 'proposed' | 'active' | 'ended';
  from_ms: number;
  to_ms: number | null;
  proposed_by: string;
  confirmed_by: string | null;
}

export interface User {
  id: string;
  login: string;
  display_name: string;
  work_id: string | null;
  status: 'active' | 'disabled';
  grants: Grant[];
}

export interface Device {
  id: string;
  label: string;
  user: string;
  status: 'active' | 'lost' | 'retired';
  app_release: string;
  last_seen_ms: number;
  queue_len: number | null;
  oldest_unsent_ms: number | null;
}

export interface Run {
  id: string;
  survey: string;
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  engine: string;
  created_at_ms: number;
  finished_at_ms: number | null;
  request: { include?: string; variance?: { method: string } | null; earlier?: { run: string } | null };
  inputs: Record<string, unknown> | null;
  error: { code: string; message: string } | null;
}

export interface Entry {
  seq: number;
  at_ms: number;
  actor: string;
  role: string;
  action: string;
  object: string;
  outcome: string;
  commitment: string;
  detail: unknown;
}

/** The interviews behind a cell, one page of them. */
export interface CellTrail {
  run: string;
  survey: string;
  labels: Texts[];
  told: { n: number; population: number | null; estimate: number | null };
  n: number;
  weight: number;
  figure: number | null;
  interviews: { id: string; submission: string | null; weight: number; value: number }[];
  next: string | null;
}

export interface EvidenceRevision {
  rev: number;
  server_seq: number;
  sha256: string;
  received_at_ms: number;
  received_from: string;
  conflict: boolean;
  in_force: boolean;
  deleted: boolean;
  receipt: { short_code: string; key_id: string | null; signature: string | null; log_index: number | null; text: string } | null;
}

/** What vouches for an interview. */
export interface Evidence {
  submission: string;
  pseudonym: string | null;
  survey: string | null;
  state: string;
  rev: number;
  conflict: boolean;
  changed_at_ms: number;
  questionnaire: { hash: string; id: string; version: string; title: string } | null;
  signs: string[];
  revisions: EvidenceRevision[];
  review: { rev: number; action: string; by: string; name: string | null; role: string; at_ms: number }[];
  entries: Omit<Entry, 'detail' | 'commitment'>[];
}

/** What of a survey is kept until when. */
export interface Retention {
  contacts_days: number;
  recordings_days: number;
  hold: { reason: string; set_by: string; set_at_ms: number; lift_reason: string | null; lift_asked_by: string | null; lift_asked_at_ms: number | null } | null;
  plan: { what: string; items: number; from_ms: number | null; standing: string }[];
  jobs: { kind: string; items: number; reason: string; by: string; at_ms: number }[];
}

export interface Schedule {
  cron: string | null;
  next_times_ms: number[];
}
