-- What was told to go wrong, and which generation of a persona is the present one.

-- Texts are empty and the amount is zero where a trigger does not ask for them, so that the same
-- trigger set twice is one row.
create table trigger_setting (
    id uuid primary key,
    effect text not null,
    place text not null,
    persona text not null,
    amount_satang bigint not null constraint trigger_setting_amount_not_negative check (amount_satang >= 0),
    reference text not null,
    lasts text not null constraint trigger_setting_lasts_known check (lasts in ('once', 'until_cleared', 'minutes')),
    ends_at timestamptz,
    set_at timestamptz not null,
    used_count bigint not null default 0,
    spent_at timestamptz,
    constraint trigger_setting_same_unique unique (effect, place, persona, amount_satang, reference)
);

create table persona_generation (
    persona text primary key,
    generation bigint not null constraint persona_generation_three_digits check (generation between 1 and 999),
    reset_at timestamptz not null
);
