// Package ledgertest is the suite that every store of the issuance ledger passes.
package ledgertest
