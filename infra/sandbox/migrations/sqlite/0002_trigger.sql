-- What was told to go wrong, and which generation of a persona is the present one.

-- Texts are empty and the amount is zero where a trigger does not ask for them, so that the same
-- trigger set twice is one row.
create table trigger_setting (
    id TEXT primary key,
    effect TEXT not null,
    place TEXT not null,
    persona TEXT not null,
    amount_satang INTEGER not null constraint trigger_setting_amount_not_negative check (amount_satang >= 0),
    reference TEXT not null,
    lasts TEXT not null constraint trigger_setting_lasts_known check (lasts in ('once', 'until_cleared', 'minutes')),
    ends_at TEXT,
    set_at TEXT not null,
    used_count INTEGER not null default 0,
    spent_at TEXT,
    constraint trigger_setting_same_unique unique (effect, place, persona, amount_satang, reference)
) STRICT;

create table persona_generation (
    persona TEXT primary key,
    generation INTEGER not null constraint persona_generation_three_digits check (generation between 1 and 999),
    reset_at TEXT not null
) STRICT;
