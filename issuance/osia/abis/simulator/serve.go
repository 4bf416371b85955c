package simulator

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sort"
)

// maxBody is the largest question, in octets.
const maxBody = 4 << 20

type (
	biometric struct {
		Type  string `json:"biometricType"`
		Image []byte `json:"image"`
	}
	encounter struct {
		Galleries []string    `json:"galleries"`
		Biometric []biometric `json:"biometricData"`
	}
	wireError struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	candidate struct {
		Person string  `json:"personId"`
		Rank   int     `json:"rank"`
		Score  float64 `json:"score"`
		Scores []score `json:"scores"`
	}
	score struct {
		Score     float64 `json:"score"`
		Encounter string  `json:"encounterId"`
		Type      string  `json:"biometricType"`
	}
)

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if v != nil {
		json.NewEncoder(w).Encode(v)
	}
}

// body reads a question with one face in it.
func body(w http.ResponseWriter, r *http.Request, into *encounter) (faceprint, []byte, bool) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	i := slices.IndexFunc(into.Biometric, func(b biometric) bool { return b.Type == "FACE" })
	if err != nil || i < 0 {
		answer(w, http.StatusBadRequest, wireError{2, "no face"})
		return faceprint{}, nil, false
	}
	f, err := printOf(into.Biometric[i].Image)
	if err != nil {
		answer(w, http.StatusBadRequest, wireError{3, err.Error()})
		return faceprint{}, nil, false
	}
	return f, b, true
}

func (s *Simulator) find(person, id string) int {
	return slices.IndexFunc(s.faces, func(k kept) bool { return k.person == person && k.id == id })
}

func (s *Simulator) insert(w http.ResponseWriter, r *http.Request, update bool) {
	var e encounter
	f, b, ok := body(w, r, &e)
	if !ok {
		return
	}
	if len(e.Galleries) == 0 {
		answer(w, http.StatusBadRequest, wireError{4, "no gallery"})
		return
	}
	k := kept{r.PathValue("person"), r.PathValue("encounter"), e.Galleries, f, b}
	s.mu.Lock()
	i := s.find(k.person, k.id)
	status := 0
	switch {
	case i < 0 && update:
		status = http.StatusNotFound
	case i >= 0 && !update:
		status = http.StatusConflict
	case i >= 0:
		s.faces[i] = k
	default:
		s.faces = append(s.faces, k)
	}
	s.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	ids, _ := json.Marshal(map[string]string{"personId": k.person, "encounterId": k.id}) // strings always encode
	s.done(w, r, "insert", http.StatusOK, ids)
}

func (s *Simulator) read(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("person"), r.PathValue("encounter"))
	if i < 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var e map[string]any
	if err := json.Unmarshal(s.faces[i].body, &e); err != nil {
		answer(w, http.StatusInternalServerError, wireError{5, "not what was kept"})
		return
	}
	e["encounterId"] = s.faces[i].id
	answer(w, http.StatusOK, e)
}

func (s *Simulator) delete(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	i := s.find(r.PathValue("person"), r.PathValue("encounter"))
	if i >= 0 {
		s.faces = slices.Delete(s.faces, i, i+1)
	}
	s.mu.Unlock()
	if i < 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	s.done(w, r, "delete", http.StatusNoContent, nil)
}

// alike lists who of a gallery looks the same, the best first, each person once.
func (s *Simulator) alike(gallery string, f faceprint) []candidate {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []candidate{}
	for _, k := range s.faces {
		n := likeness(f, k.print)
		if n < cmp.Or(s.Threshold, 900) || gallery != "ALL" && !slices.Contains(k.galleries, gallery) {
			continue
		}
		one := score{float64(n), k.id, "FACE"}
		if i := slices.IndexFunc(list, func(c candidate) bool { return c.Person == k.person }); i >= 0 {
			list[i].Score, list[i].Scores = max(list[i].Score, one.Score), append(list[i].Scores, one)
			continue
		}
		list = append(list, candidate{Person: k.person, Score: one.Score, Scores: []score{one}})
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Score > list[j].Score })
	for i := range list {
		list[i].Rank = i + 1
	}
	return list
}

func (s *Simulator) identify(w http.ResponseWriter, r *http.Request) {
	var e encounter
	f, _, ok := body(w, r, &e)
	if !ok {
		return
	}
	list, err := json.Marshal(s.alike(r.PathValue("gallery"), f))
	if err != nil {
		answer(w, http.StatusInternalServerError, wireError{5, "no list"})
		return
	}
	s.done(w, r, "identify", http.StatusOK, list)
}

func (s *Simulator) verify(w http.ResponseWriter, r *http.Request) {
	var e encounter
	f, _, ok := body(w, r, &e)
	if !ok {
		return
	}
	s.mu.Lock()
	there := slices.ContainsFunc(s.faces, func(k kept) bool { return k.person == r.PathValue("person") })
	s.mu.Unlock()
	if !there {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	same := slices.ContainsFunc(s.alike(r.PathValue("gallery"), f), func(c candidate) bool { return c.Person == r.PathValue("person") })
	out, _ := json.Marshal(map[string]any{"decision": same, "scores": []any{}}) // always encodes
	s.done(w, r, "verify", http.StatusOK, out)
}

func (s *Simulator) galleries(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []string{}
	for _, k := range s.faces {
		for _, g := range k.galleries {
			if !slices.Contains(list, g) {
				list = append(list, g)
			}
		}
	}
	slices.Sort(list)
	answer(w, http.StatusOK, list)
}

func (s *Simulator) status(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[r.PathValue("task")]
	if t == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	answer(w, http.StatusOK, t.status)
}

func (s *Simulator) redeliver(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	t := s.tasks[r.PathValue("task")]
	s.mu.Unlock()
	if t == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
	s.later(t, 0, false)
}
