//! The tables as both backends have them; `migrations/` is where they are made.

diesel::table! {
    questionnaire (hash) {
        hash -> Text,
        id -> Text,
        version -> Text,
        title -> Text,
        canonical -> Text,
        source -> Text,
        published_at_ms -> BigInt,
        published_by -> Text,
    }
}

diesel::table! {
    survey (id) {
        id -> Text,
        code -> Text,
        title -> Text,
        place -> Text,
        questionnaire_hash -> Text,
        profile_id -> Text,
        profile_version -> Text,
        profile_source -> Text,
        fieldwork_from -> Text,
        fieldwork_to -> Text,
        example -> Bool,
        state -> Text,
        created_at_ms -> BigInt,
    }
}

diesel::table! {
    survey_file (survey_id, kind, version) {
        survey_id -> Text,
        kind -> Text,
        version -> Integer,
        sha256 -> Text,
        content -> Text,
        received_at_ms -> BigInt,
        received_from -> Text,
    }
}

diesel::table! {
    survey_map (survey_id, version) {
        survey_id -> Text,
        version -> Integer,
        sha256 -> Text,
        content -> Binary,
        received_at_ms -> BigInt,
        received_from -> Text,
    }
}

diesel::table! {
    sample_case (survey_id, case_id) {
        survey_id -> Text,
        case_id -> Text,
        district -> Text,
        stratum -> Text,
        psu -> Text,
        residence -> Text,
        probabilities -> Text,
        reserve_rank -> Nullable<Integer>,
    }
}

diesel::table! {
    substitution (id) {
        id -> Text,
        survey_id -> Text,
        original_case -> Text,
        reserve_case -> Nullable<Text>,
        days -> Integer,
        reason -> Nullable<Text>,
        requested_by -> Text,
        requested_at_ms -> BigInt,
    }
}

diesel::table! {
    submission_raw (server_seq) {
        server_seq -> BigInt,
        id -> Text,
        rev -> Integer,
        sha256 -> Text,
        body -> Binary,
        content_type -> Text,
        received_at_ms -> BigInt,
        received_from -> Text,
        conflict -> Bool,
        revoked -> Bool,
    }
}

diesel::table! {
    submission_unjudged (server_seq) {
        server_seq -> BigInt,
    }
}

diesel::table! {
    receipt (server_seq) {
        server_seq -> BigInt,
        short_code -> Text,
        body -> Text,
    }
}

diesel::table! {
    interview (id) {
        id -> Text,
        state -> Text,
        has_conflict -> Bool,
        current_rev -> Integer,
        current_seq -> BigInt,
        survey_id -> Nullable<Text>,
        case_id -> Nullable<Text>,
        questionnaire_hash -> Nullable<Text>,
        answers -> Nullable<Text>,
        changed_at_ms -> BigInt,
        district -> Nullable<Text>,
        surveyor -> Nullable<Text>,
        l1_by -> Nullable<Text>,
        void_by -> Nullable<Text>,
    }
}

diesel::table! {
    canonical_interview (survey_id, case_id) {
        survey_id -> Text,
        case_id -> Text,
        interview_id -> Text,
    }
}

diesel::table! {
    quarantine (server_seq) {
        server_seq -> BigInt,
        reason -> Text,
        detail -> Text,
        state -> Text,
        created_at_ms -> BigInt,
        resolved_at_ms -> Nullable<BigInt>,
        tries -> Integer,
        next_try_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    survey_questionnaire (survey_id, questionnaire_hash) {
        survey_id -> Text,
        questionnaire_hash -> Text,
        since_ms -> BigInt,
    }
}

diesel::table! {
    survey_closing (survey_id) {
        survey_id -> Text,
        after_seq -> BigInt,
        closed_at_ms -> BigInt,
    }
}

diesel::table! {
    review_action (seq) {
        seq -> BigInt,
        interview_id -> Text,
        rev -> Integer,
        action -> Text,
        from_state -> Text,
        to_state -> Text,
        by_id -> Text,
        by_role -> Text,
        reason_code -> Nullable<Text>,
        comment -> Nullable<Text>,
        item_comments -> Nullable<Text>,
        at_ms -> BigInt,
    }
}

diesel::table! {
    inbox_message (seq) {
        seq -> BigInt,
        recipient -> Text,
        interview_id -> Text,
        rev -> Integer,
        kind -> Text,
        payload -> Text,
        created_at_ms -> BigInt,
        read_at_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    run (id) {
        id -> Text,
        survey_id -> Text,
        state -> Text,
        inputs -> Nullable<Text>,
        engine -> Text,
        requested_by -> Text,
        created_at_ms -> BigInt,
        started_at_ms -> Nullable<BigInt>,
        finished_at_ms -> Nullable<BigInt>,
        error_code -> Nullable<Text>,
        error -> Nullable<Text>,
        request -> Text,
    }
}

diesel::table! {
    run_file (run_id, name) {
        run_id -> Text,
        name -> Text,
        content_type -> Text,
        sha256 -> Text,
        content -> Binary,
        bytes -> Nullable<BigInt>,
    }
}

diesel::table! {
    content_piece (sha256, piece) {
        sha256 -> Text,
        piece -> BigInt,
        content -> Binary,
    }
}

diesel::table! {
    run_format (run_id, name) {
        run_id -> Text,
        name -> Text,
        content_type -> Text,
        sha256 -> Text,
        bytes -> BigInt,
        made_at_ms -> BigInt,
    }
}

diesel::table! {
    survey_schedule (survey_id) {
        survey_id -> Text,
        cron -> Text,
        set_by -> Text,
        set_at_ms -> BigInt,
        looked_at_ms -> BigInt,
    }
}

diesel::table! {
    api_token (id) {
        id -> Text,
        label -> Text,
        role -> Text,
        secret_sha256 -> Text,
        created_at_ms -> BigInt,
        expires_at_ms -> Nullable<BigInt>,
        revoked_at_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_entry (seq) {
        seq -> BigInt,
        at_ms -> BigInt,
        actor -> Text,
        role -> Text,
        action -> Text,
        object -> Text,
        outcome -> Text,
        commitment -> Text,
        salt -> Nullable<Binary>,
        detail -> Nullable<Text>,
        leaf -> Binary,
    }
}

diesel::table! {
    audit_head (id) {
        id -> Integer,
        size -> BigInt,
        frontier -> Binary,
    }
}

diesel::table! {
    run_bundle (run_id) {
        run_id -> Text,
        manifest -> Binary,
        proof -> Text,
        entry -> Text,
        checkpoint -> Text,
        public_keys -> Text,
        sha256 -> Text,
        bytes -> BigInt,
        made_at_ms -> BigInt,
    }
}

diesel::table! {
    audit_checkpoint (size) {
        size -> BigInt,
        root -> Binary,
        note -> Text,
        at_ms -> BigInt,
    }
}

diesel::table! {
    person (id) {
        id -> Text,
        login -> Text,
        display_name -> Text,
        work_id -> Nullable<Text>,
        password_hash -> Text,
        status -> Text,
        created_by -> Text,
        created_at_ms -> BigInt,
    }
}

diesel::table! {
    role_grant (id) {
        id -> Text,
        person_id -> Text,
        role -> Text,
        scope -> Text,
        from_ms -> BigInt,
        to_ms -> Nullable<BigInt>,
        state -> Text,
        proposed_by -> Text,
        proposed_at_ms -> BigInt,
        confirmed_by -> Nullable<Text>,
        confirmed_at_ms -> Nullable<BigInt>,
        ended_by -> Nullable<Text>,
        ended_at_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    session (token_sha256) {
        token_sha256 -> Text,
        id -> Text,
        person_id -> Text,
        created_at_ms -> BigInt,
        used_at_ms -> BigInt,
    }
}

diesel::table! {
    device (id) {
        id -> Text,
        label -> Text,
        person_id -> Text,
        public_key -> Text,
        enrolled_by -> Text,
        enrolled_at_ms -> BigInt,
        status -> Text,
        app_release -> Text,
        user_agent -> Text,
        storage_bytes -> Nullable<BigInt>,
        persisted -> Nullable<Bool>,
        last_seen_ms -> BigInt,
        clock_offset_ms -> Nullable<BigInt>,
        queue_len -> Nullable<BigInt>,
        oldest_unsent_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    device_token (token_sha256) {
        token_sha256 -> Text,
        device_id -> Text,
        created_at_ms -> BigInt,
        expires_at_ms -> BigInt,
    }
}

diesel::table! {
    enrolment_code (id) {
        id -> Text,
        selector -> Text,
        code_sha256 -> Text,
        person_id -> Text,
        label -> Text,
        created_by -> Text,
        created_at_ms -> BigInt,
        expires_at_ms -> BigInt,
        wrong_tries -> Integer,
        state -> Text,
        device_id -> Nullable<Text>,
    }
}

diesel::table! {
    throttle (key) {
        key -> Text,
        tries -> Integer,
        since_ms -> BigInt,
        blocked_until_ms -> BigInt,
    }
}

diesel::table! {
    identity_survey (survey_id) {
        survey_id -> Text,
        key_version -> Integer,
        data_key -> Binary,
        index_key -> Binary,
        created_at_ms -> BigInt,
    }
}

diesel::table! {
    identity_case (survey_id, case_id) {
        survey_id -> Text,
        case_id -> Text,
        case_key -> Nullable<Binary>,
        phone_index -> Nullable<Binary>,
        changed_at_ms -> BigInt,
        erased_at_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    identity_field (survey_id, case_id, field) {
        survey_id -> Text,
        case_id -> Text,
        field -> Text,
        ciphertext -> Binary,
    }
}

diesel::table! {
    attachment (id) {
        id -> Text,
        owner -> Text,
        length -> BigInt,
        sha256 -> Text,
        received -> BigInt,
        begun_at_ms -> BigInt,
        completed_at_ms -> Nullable<BigInt>,
        deleted_at_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    attachment_link (attachment_id, interview_id) {
        attachment_id -> Text,
        interview_id -> Text,
        sha256 -> Text,
        kind -> Text,
    }
}

diesel::table! {
    attachment_reading (id) {
        id -> Integer,
        through_seq -> BigInt,
    }
}

diesel::table! {
    legal_hold (id) {
        id -> Text,
        survey_id -> Text,
        reason -> Text,
        set_by -> Text,
        set_at_ms -> BigInt,
        lift_reason -> Nullable<Text>,
        lift_asked_by -> Nullable<Text>,
        lift_asked_at_ms -> Nullable<BigInt>,
        lifted_by -> Nullable<Text>,
        lifted_at_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    retention_job (id) {
        id -> Text,
        survey_id -> Nullable<Text>,
        kind -> Text,
        items -> BigInt,
        reason -> Text,
        by_id -> Text,
        by_role -> Text,
        at_ms -> BigInt,
    }
}

diesel::table! {
    submission_erased (server_seq) {
        server_seq -> BigInt,
        job_id -> Text,
    }
}

diesel::table! {
    attachment_piece (attachment_id, place) {
        attachment_id -> Text,
        place -> BigInt,
        sealed -> Binary,
    }
}

diesel::table! {
    identity_note (device_id, seq, field) {
        device_id -> Text,
        seq -> BigInt,
        field -> Text,
        survey_id -> Text,
        case_id -> Text,
        ciphertext -> Binary,
    }
}

diesel::table! {
    identity_erasure (survey_id, case_id) {
        survey_id -> Text,
        case_id -> Text,
        requested_by -> Text,
        requested_at_ms -> BigInt,
        confirmed_by -> Nullable<Text>,
        confirmed_at_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    assignment (id) {
        id -> Text,
        survey_id -> Text,
        case_id -> Text,
        person_id -> Text,
        priority -> Integer,
        reason -> Text,
        assigned_by -> Text,
        assigned_at_ms -> BigInt,
        ended_by -> Nullable<Text>,
        ended_at_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    case_draw (survey_id, case_id) {
        survey_id -> Text,
        case_id -> Text,
        questionnaire_hash -> Text,
        seed -> Text,
        algorithm -> Text,
        method -> Text,
        u_numerator -> BigInt,
        drawn_at_ms -> BigInt,
    }
}

diesel::table! {
    field_change (person_id, log_seq) {
        log_seq -> BigInt,
        person_id -> Text,
        survey_id -> Text,
        case_id -> Text,
    }
}

diesel::table! {
    field_event (device_id, seq) {
        device_id -> Text,
        seq -> BigInt,
        kind -> Text,
        content -> Text,
        received_at_ms -> BigInt,
    }
}

diesel::table! {
    field_event_head (device_id) {
        device_id -> Text,
        through -> BigInt,
    }
}

diesel::table! {
    contact_attempt (id) {
        id -> Text,
        survey_id -> Text,
        case_id -> Text,
        device_id -> Text,
        seq -> BigInt,
        person_id -> Text,
        outcome -> Text,
        mode -> Text,
        at_ms -> BigInt,
        received_at_ms -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(identity_survey, identity_case);
diesel::joinable!(session -> person (person_id));
diesel::joinable!(device -> person (person_id));
diesel::joinable!(device_token -> device (device_id));
diesel::allow_tables_to_appear_in_same_query!(person, session, device, device_token, role_grant);

diesel::table! {
    disclosure_release (run_id) {
        run_id -> Text,
        survey_id -> Text,
        rules -> Text,
        sha256 -> Text,
        results -> Binary,
        indicator -> Binary,
        indicator_sha256 -> Text,
        cells -> Binary,
        requested_by -> Text,
        requested_at_ms -> BigInt,
        confirmed_by -> Nullable<Text>,
        confirmed_at_ms -> Nullable<BigInt>,
    }
}

diesel::joinable!(disclosure_release -> run (run_id));
diesel::joinable!(receipt -> submission_raw (server_seq));
diesel::joinable!(quarantine -> submission_raw (server_seq));
diesel::joinable!(submission_unjudged -> submission_raw (server_seq));
diesel::joinable!(sample_case -> survey (survey_id));
diesel::allow_tables_to_appear_in_same_query!(
    questionnaire,
    survey,
    survey_file,
    survey_map,
    sample_case,
    submission_raw,
    submission_unjudged,
    receipt,
    interview,
    canonical_interview,
    quarantine,
    run,
    run_file,
    survey_schedule,
    disclosure_release,
    api_token,
    survey_closing,
    survey_questionnaire,
    substitution,
    review_action,
    inbox_message,
    assignment,
    case_draw,
    field_change,
    attachment,
    attachment_link,
    legal_hold,
    identity_case,
    submission_erased,
);
