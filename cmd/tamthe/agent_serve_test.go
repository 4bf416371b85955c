package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// pageCommand is a page of ORIGIN in this machine's browser, which asks the agent at $AGENT;
// what it is answered is in answer.json:
//
//	page STATUS ORIGIN pair CODE      sets PAIRING
//	page STATUS ORIGIN login CODE     sets FINISH
//
// The origin "-" is none; with an @ behind it the host that the agent is reached by.
func pageCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: page STATUS ORIGIN pair|login CODE")
	}
	origin, host, _ := strings.Cut(args[1], "@")
	q, err := http.NewRequest(http.MethodPost, ts.Getenv("AGENT")+"/agent/v1/"+args[2], strings.NewReader(`{"code":"`+args[3]+`"}`))
	ts.Check(err)
	q.Header.Set("Content-Type", "application/json")
	if origin != "-" {
		q.Header.Set("Origin", origin)
	}
	if host != "" {
		q.Host = host
	}
	q.Header.Set("Authorization", "Bearer "+ts.Getenv("PAIRING"))
	resp, err := http.DefaultClient.Do(q)
	ts.Check(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer.json"), b, 0o600))
	if got := resp.Status[:3]; got != args[0] {
		ts.Fatalf("status %s, not %s: %s", got, args[0], b)
	}
	var out struct{ Pairing, Finish string }
	ts.Check(json.Unmarshal(b, &out))
	if out.Pairing != "" {
		ts.Setenv("PAIRING", out.Pairing)
	}
	if out.Finish != "" {
		ts.Setenv("FINISH", out.Finish)
	}
}
