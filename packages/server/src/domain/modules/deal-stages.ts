/** Where a deal stands, and what that says of its chance. */
export interface DealStage {
  readonly name: string;
  /** Percent, 0 … 100: what a deal's Probability becomes with this stage. */
  readonly probability: number;
  readonly forecastType: 'Open' | 'Closed Won' | 'Closed Lost';
  readonly forecastCategory: 'Pipeline' | 'Closed' | 'Omitted';
}

const open = (name: string, probability: number): DealStage => ({
  name,
  probability,
  forecastType: 'Open',
  forecastCategory: 'Pipeline',
});
const lost = (name: string): DealStage => ({
  name,
  probability: 0,
  forecastType: 'Closed Lost',
  forecastCategory: 'Omitted',
});

export const DEAL_STAGES: readonly DealStage[] = [
  open('Qualification', 10),
  open('Needs Analysis', 20),
  open('Value Proposition', 40),
  open('Identify Decision Makers', 60),
  open('Proposal/Price Quote', 75),
  open('Negotiation/Review', 90),
  { name: 'Closed Won', probability: 100, forecastType: 'Closed Won', forecastCategory: 'Closed' },
  lost('Closed Lost'),
  lost('Closed Lost to Competition'),
];

const byName = new Map(DEAL_STAGES.map((stage) => [stage.name, stage]));

export const findDealStage = (name: string): DealStage | undefined => byName.get(name);
