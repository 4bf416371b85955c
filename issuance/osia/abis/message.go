package abis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// The bounds of what is read.
const (
	MaxAnswer     = 1 << 20 // octets
	maxCandidates = 500
	maxID         = 128
)

// The structures of the interface, as far as this office sends or reads them.
type (
	biometric struct {
		Type     string `json:"biometricType"`
		SubType  string `json:"biometricSubType,omitempty"`
		Image    []byte `json:"image,omitempty"`
		MimeType string `json:"mimeType,omitempty"`
		Compress string `json:"compression,omitempty"`
	}
	encounter struct {
		ID        string      `json:"encounterId,omitempty"`
		Status    string      `json:"status"`
		Type      string      `json:"encounterType"`
		Galleries []string    `json:"galleries"`
		Biometric []biometric `json:"biometricData"`
	}
	identifyRequest struct {
		Filter    map[string]any `json:"filter"`
		Biometric []biometric    `json:"biometricData"`
	}
	verifyRequest struct {
		Biometric []biometric `json:"biometricData"`
	}
	personIDs struct {
		Person    string `json:"personId"`
		Encounter string `json:"encounterId"`
	}
	taskID struct {
		Task string `json:"taskId"`
	}
	wireError struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	wireCandidate struct {
		Person *string  `json:"personId"`
		Rank   *int     `json:"rank"`
		Score  *float64 `json:"score"`
		Scores []struct {
			Encounter string `json:"encounterId"`
		} `json:"scores"`
	}
)

// face is a portrait as the interface has one.
func face(jpeg []byte) []biometric {
	return []biometric{{Type: "FACE", SubType: "PORTRAIT", Image: jpeg, MimeType: "image/jpeg", Compress: "JPEG"}}
}

// decode reads one JSON value and nothing behind it.
func decode(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: not the JSON of one", ErrAnswer)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: something behind it", ErrAnswer)
	}
	return nil
}

// candidates reads the answer to Identify: whole, or not at all.
func candidates(b []byte) ([]Candidate, error) {
	var list []wireCandidate
	if err := decode(b, &list); err != nil {
		return nil, err
	}
	if list == nil || len(list) > maxCandidates {
		return nil, fmt.Errorf("%w: no list of candidates", ErrAnswer)
	}
	out := make([]Candidate, 0, len(list))
	for _, c := range list {
		if c.Person == nil || c.Rank == nil || c.Score == nil || !isID(*c.Person) || math.IsNaN(*c.Score) || math.IsInf(*c.Score, 0) {
			return nil, fmt.Errorf("%w: a candidate without person, rank or score", ErrAnswer)
		}
		one := Candidate{Person: *c.Person, Rank: *c.Rank, Score: *c.Score}
		for _, s := range c.Scores {
			if one.Encounter == "" && isID(s.Encounter) {
				one.Encounter = s.Encounter
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// check reads an answer as far as it can be said whether it is one to an operation.
func check(op Op, b []byte) error {
	switch op {
	case Identify:
		_, err := candidates(b)
		return err
	case Insert:
		var ids personIDs
		if err := decode(b, &ids); err != nil {
			return err
		}
		if !isID(ids.Person) || !isID(ids.Encounter) {
			return fmt.Errorf("%w: no names of person and encounter", ErrAnswer)
		}
		return nil
	}
	var ok string
	if err := decode(b, &ok); err != nil || ok != "OK" {
		return fmt.Errorf("%w: not OK", ErrAnswer)
	}
	return nil
}

// Candidates reads the answer to a question of Identify, as Client and Receiver took it.
func Candidates(b []byte) ([]Candidate, error) { return candidates(b) }

// isID is for names that a register gives.
func isID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
