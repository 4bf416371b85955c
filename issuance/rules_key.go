package issuance

import (
	"fmt"
	"slices"
)

// keyRules are those of the authority's keys. Every use of a key that certifies takes two
// custodians; the keys that only say what the ledger says take one.
var keyRules = []rule{
	{
		kind: KindKey, act: Generate, to: Generated, role: []Role{Custodian}, two: certifies,
		need: []string{"usage", "public"}, extra: []string{"algorithm", "cap", "chr", "issuer", "ceremony"},
	},
	{
		kind: KindKey, act: Import, to: InUse, role: []Role{Custodian}, two: always,
		need: []string{"usage", "kcv", "components"}, extra: []string{"algorithm", "batch", "ceremony"},
	},
	{
		kind: KindKey, act: Prepare, from: []Phase{Generated, Preparing, InUse}, to: Preparing, role: []Role{Custodian}, two: certifies,
		need: []string{"object", "tbs"}, extra: []string{"issuer", "cap", "number", "ceremony", "reason", "chr"},
		may: []ClaimKind{ClaimCertSerial}, check: hasCap,
	},
	{
		kind: KindKey, act: Issue, from: []Phase{Preparing}, to: InUse, role: []Role{Custodian}, two: certifies,
		need: []string{"issued"}, same: []string{"object", "tbs"}, extra: []string{"ceremony", "chr"},
	},
	{
		kind: KindKey, act: Suspend, from: []Phase{InUse}, to: Suspended, role: []Role{Custodian}, two: certifies,
		need: []string{"reason"}, extra: []string{"ceremony"}, only: map[string][]string{"reason": keyReasons},
	},
	{
		kind: KindKey, act: Resume, from: []Phase{Suspended}, to: InUse, role: []Role{Custodian}, two: certifies,
		need: []string{"reason"}, extra: []string{"ceremony"}, only: map[string][]string{"reason": resumeReasons},
	},
	{
		kind: KindKey, act: Revoke, from: []Phase{Generated, Preparing, InUse, Suspended}, to: Revoked, role: []Role{Custodian}, two: certifies,
		need: []string{"reason"}, extra: []string{"ceremony"}, only: map[string][]string{"reason": keyReasons},
	},
	{
		kind: KindKey, act: Destroy, from: []Phase{Generated, Preparing, InUse, Suspended, Revoked}, to: Destroyed, role: []Role{Custodian}, two: always,
		need: []string{"reason"}, extra: []string{"ceremony", "report"}, only: map[string][]string{"reason": keyReasons},
	},
}

// certifies is the condition of acts with a key for which one custodian is not enough. A
// usage that is not known takes two.
var certifies = &condition{"not status, log, is", func(fields map[string]string) bool {
	return !slices.Contains([]string{"status", "log", "is"}, fields["usage"])
}}

// keyReasons say why a key is used no more.
var keyReasons = []string{"revoked", "compromised", "lost", "superseded", "ceased", "expired", "spent", "abandoned", "misuse", "affiliation"}

// hasCap: how many cards a document signer may sign is said before it is certified.
func hasCap(_ *Book, s *Subject, e *Entry) error {
	if s.Fields["usage"] == "ds" && e.Fields["object"] == "certificate" && e.Fields["cap"] == "" && s.Fields["cap"] == "" {
		return fmt.Errorf("%w: %s of a document signer needs the field \"cap\"", ErrEntry, e.Act)
	}
	return nil
}

// ceremonyRules: what custodians did together is one entry, signed by two of them.
var ceremonyRules = []rule{{
	kind: KindCeremony, act: Sign, to: Signed, role: []Role{Custodian}, two: always,
	need: []string{"transcript", "script"}, extra: []string{"title", "verdict"},
}}
