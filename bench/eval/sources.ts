/** Who made the talk that weights are computed from, and under which licence. WTD is measured on, never fitted on. */
export const attributions: Record<string, { licence: string, attribution: string }> = {
  'groups_justhink.jsonl': { licence: 'CC BY 4.0', attribution: 'JUSThink, Norman, Dinkar et al. 2021' },
  'groups_delidata.jsonl': { licence: 'CC BY 4.0', attribution: 'DeliData, Karadzhov, Stafford and Vlachos 2023' },
  'meetings_ami.jsonl': { licence: 'MIT and CC BY 4.0', attribution: 'QMSum, Zhong et al. 2021, from AMI, Carletta 2006' },
  'ontask_uptake.jsonl': { licence: 'MIT', attribution: 'Conversational uptake, Demszky et al. 2021' },
  'followup_questions.jsonl': { licence: 'MIT', attribution: 'Funneling and focusing, Alic et al. 2022' },
  'help_requests_cima.jsonl': { licence: 'CC BY 2.5', attribution: 'CIMA, Stasaski, Kao and Hearst 2020' },
  'social_talk.jsonl': { licence: 'MIT', attribution: 'TIAGE, Xie et al. 2021, from PersonaChat, Zhang et al. 2018' },
  'splices.jsonl': { licence: 'CC BY 4.0 and MIT', attribution: 'spliced from JUSThink, DeliData, conversational uptake and TIAGE' }
}

/** Files that figures come from and weights do not: a licence that was not verified, and what is made of the other files. */
export const measuredOnly: readonly string[] = ['groups_wtd.jsonl', 'scenarios.jsonl']
