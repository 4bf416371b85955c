package main

import (
	"database/sql"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
)

// sqlCommand changes a database as somebody with all rights to the file and no keys, past
// its triggers:
//
//	sql FILE STATEMENT …
func sqlCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sql FILE statement …")
	}
	db, err := sql.Open("sqlite3", "file:"+ts.MkAbs(args[0])) // the driver of issuance/sqlite
	ts.Check(err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	drop, create := triggers(ts, db)
	for _, s := range slices.Concat(drop, args[1:], create) {
		if _, err := db.Exec(s); err != nil {
			ts.Fatalf("%s: %v", s, err)
		}
	}
}

func triggers(ts interface{ Check(error) }, db *sql.DB) (drop, create []string) {
	rows, err := db.Query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
	ts.Check(err)
	defer rows.Close()
	for rows.Next() {
		var name, text string
		ts.Check(rows.Scan(&name, &text))
		drop, create = append(drop, "DROP TRIGGER "+name), append(create, text)
	}
	ts.Check(rows.Err())
	return drop, create
}
