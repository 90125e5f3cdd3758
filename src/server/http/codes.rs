//! The one table of problem codes: status, whether a retry may help, what a client should do, the title people read.

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable name; the only thing besides `retryable` and `action` that a client may depend on.
    pub name: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// `retry | wait | reauth | update_app | contact_supervisor | keep_local | none`.
    pub action: &'static str,
    /// Title in Chinese.
    pub title: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $name:literal $status:literal $retryable:literal $action:literal $title:literal;)*) => {
        $(pub(super) const $constant: Code =
            Code { name: $name, status: $status, retryable: $retryable, action: $action, title: $title };)*
        /// Every kind of problem this server answers with.
        pub const CODES: &[Code] = &[$($constant),*];
    };
}

codes! {
    BAD_REQUEST = "bad-request" 400 false "none" "请求格式有误";
    DIGEST_MISMATCH = "digest-mismatch" 400 true "retry" "传输中数据损坏，将自动重传";
    DIGEST_MISSING = "digest-missing" 400 false "update_app" "缺少内容摘要（Submission-Sha256）";
    MALFORMED = "malformed" 400 false "none" "内容不是有效的 JSON 或文本";
    UNAUTHENTICATED = "unauthenticated" 401 true "reauth" "登录已过期，本机数据不受影响，请重新登录";
    FORBIDDEN_ROLE = "forbidden-role" 403 false "contact_supervisor" "没有执行此操作的权限";
    SECOND_PERSON = "second-person" 403 false "contact_supervisor" "须由另一人确认";
    OWN_INTERVIEW = "own-interview" 403 false "none" "不能审核本人提交的答卷";
    NOT_FOUND = "not-found" 404 false "none" "没有找到";
    NOT_FOUND_INSTRUMENT = "not-found-instrument" 404 true "retry" "问卷版本不存在或未下发";
    METHOD_NOT_ALLOWED = "method-not-allowed" 405 false "none" "此地址不支持该方法";
    TIMEOUT = "timeout" 408 true "retry" "传输过慢，已中断";
    REV_CONFLICT = "rev-conflict" 409 false "keep_local" "同一份问卷已有不同内容的版本";
    VERSION_TAKEN = "version-taken" 409 false "none" "该版本号已发布过不同内容的问卷";
    CODE_TAKEN = "code-taken" 409 false "none" "调查代码已被使用";
    RUN_NOT_FINISHED = "run-not-finished" 409 true "wait" "计算尚未完成";
    RUN_FAILED = "run-failed" 409 false "none" "计算未成功，没有结果";
    NO_BUNDLE = "no-bundle" 409 true "wait" "此次测算还没有可核验的数据包（检查点尚未签发，或由旧版本算出）";
    ALREADY_RELEASED = "already-released" 409 false "none" "此次测算已经发布";
    RELEASE_CHANGED = "release-changed" 409 false "none" "申请之后又有其他发布，须重新申请";
    NOT_RELEASABLE = "not-releasable" 409 false "none" "此次测算不能发布";
    WRONG_STATE = "wrong-state" 409 false "none" "当前状态不允许此操作";
    STALE_REVISION = "stale-revision" 409 false "none" "答卷已有变动，请刷新后再操作";
    OPEN_CONFLICT = "open-conflict" 409 false "none" "同一版本有两份内容，请先选定一份";
    SAME_PERSON = "same-person" 409 false "none" "须由另一人操作，两级审核或作废确认不能是同一人";
    WRONG_OFFSET = "wrong-offset" 409 true "retry" "续传位置不符，将从服务器所示位置继续";
    ATTACHMENT_DIFFERS = "attachment-differs" 409 false "keep_local" "同一编号下已有不同的附件";
    LEGAL_HOLD = "legal-hold" 409 false "none" "调查的资料处于留存保全中，不能删除";
    TOO_FEW_ATTEMPTS = "too-few-attempts" 409 false "none" "须在三个不同日期接触过，或由督导员写明理由";
    NO_RESERVE = "no-reserve" 409 false "contact_supervisor" "该村（居）已没有备用样本";
    ATTACHMENT_DELETED = "attachment-deleted" 410 false "none" "附件已按期限或本人要求删除，不再接收";
    TOO_LARGE = "too-large" 413 false "contact_supervisor" "文件过大";
    UNSUPPORTED_MEDIA = "unsupported-media" 415 false "update_app" "内容类型不受支持";
    HEAD_TOO_LARGE = "head-too-large" 431 false "none" "请求头过大";
    INVALID = "invalid" 422 false "none" "内容未通过检查";
    PURPOSE_MISSING = "purpose-missing" 422 false "none" "下载个人层面的数据须写明用途";
    ID_NOT_V7 = "id-not-v7" 422 false "update_app" "问卷编号不是 UUIDv7";
    SEALED_UNKNOWN_KEY = "sealed-unknown-key" 422 false "contact_supervisor" "内容是为另一台服务器封存的，请联系督导员";
    SEALED_DAMAGED = "sealed-damaged" 422 false "contact_supervisor" "封存的内容已损坏或被改动，请联系督导员";
    THROTTLED = "throttled" 429 true "wait" "请求过于频繁";
    NO_FONT = "no-font" 501 false "none" "服务器缺少中文字体，不能生成 PDF；网页版报告不受影响";
    INTERNAL = "internal" 500 true "keep_local" "服务器内部错误";
    OVERLOADED = "overloaded" 503 true "wait" "服务器繁忙，将自动重试";
    AUDIT_BROKEN = "audit-broken" 503 false "contact_supervisor" "审计日志核验失败，须由人员处理";
    NOT_READY = "not-ready" 503 true "wait" "服务器尚未就绪";
    STORAGE_FULL = "storage-full" 507 true "keep_local" "服务器空间不足，数据保留在平板";
    LOGIN_FAILED = "login-failed" 401 false "none" "账号或密码不正确";
    DEVICE_REVOKED = "device-revoked" 401 false "contact_supervisor" "此设备或账号已停用，已采集的数据仍可上传";
    FORBIDDEN_SCOPE = "forbidden-scope" 403 false "contact_supervisor" "没有该地区的权限";
    FORBIDDEN_ORIGIN = "forbidden-origin" 403 false "reauth" "请求不是来自本系统的页面，已拒绝";
    CLIENT_TOO_OLD = "client-too-old" 403 false "update_app" "请先更新程序（已采集的数据仍可上传）";
    FOUR_EYES = "four-eyes" 403 false "none" "须由另一位管理员办理";
    LOGIN_TAKEN = "login-taken" 409 false "none" "该登录名已被使用";
    GRANT_EXISTS = "grant-exists" 409 false "none" "该角色已授予或正在等待确认";
    ROLES_EXCLUDE = "roles-exclude" 409 false "none" "与此人已有的角色不能同时担任";
    WRONG_CREDENTIAL = "wrong-credential" 409 false "none" "此操作不适用于当前的登录方式";
    CURSOR_EXPIRED = "cursor-expired" 410 true "retry" "需要完整同步";
    ENROLMENT_REFUSED = "enrolment-refused" 410 false "contact_supervisor" "注册码不可用（有误、已用过或已过期），请向督导员索取新码";
    LOGIN_THROTTLED = "login-throttled" 429 true "wait" "多次输错，请 15 分钟后再试";
}
