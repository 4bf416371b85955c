// Package verify inspects chip ID cards and says what an officer may rely on.
//
// Inspect reads a card through a chip session, JudgeFiles takes files that were
// read before. Both end in a Report: a list of checks with outcomes and reasons,
// and the verdict that a policy makes of them. A bad card is a report; an error
// means that the inspection did not happen.
package verify
