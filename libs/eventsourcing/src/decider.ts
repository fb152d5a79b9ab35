/** Pure rules of one lane. */
export interface Decider<State, Command, Event> {
  initialState: () => State;
  /** `[]` = already so. @throws Rejection when the domain says no */
  decide: (command: Command, state: State) => readonly Event[];
  /** Never throws; an event it does not know leaves the state as it is. */
  evolve: (state: State, event: Event) => State;
}
