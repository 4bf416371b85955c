package osiatest

// operation is what this repository says of an operation of OSIA, from reading the standard:
// the contract itself is not part of it. With TAMTHE_OSIA a test holds this table to it.
type operation struct {
	contract, method, path, id, scope string
	statuses                          []int
	required                          []string // of the answer's object, or of each in its list
	array                             bool     // the answer is a list
}

// operations are those that this repository serves or calls.
var operations = []operation{
	{"cms", "POST", "/v1/credentialRequests/{credentialRequestId}", "createCredentialRequest", "cms.request.write", []int{201, 400, 403, 409, 500}, nil, false},
	{"cms", "GET", "/v1/credentialRequests/{credentialRequestId}", "readCredentialRequest", "cms.request.read", []int{200, 400, 403, 404, 500}, []string{"personId", "biographicData", "requestData"}, false},
	{"cms", "PUT", "/v1/credentialRequests/{credentialRequestId}", "updateCredentialRequest", "cms.request.write", []int{204, 400, 403, 404, 500}, nil, false},
	{"cms", "POST", "/v1/credentialRequests/{credentialRequestId}/cancel", "cancelCredentialRequest", "cms.request.write", []int{204, 400, 403, 404, 500}, nil, false},
	{"cms", "POST", "/v1/credentials", "findCredentials", "cms.credential.read", []int{200, 400, 403, 404, 500}, []string{"credentialId", "status", "personId", "credentialProfileId"}, true},
	{"cms", "GET", "/v1/credentials/{credentialId}", "readCredential", "cms.credential.read", []int{200, 400, 403, 404, 500}, []string{"credentialId", "status", "personId", "credentialProfileId"}, false},
	{"cms", "PUT", "/v1/credentials/{credentialId}", "updateCredential", "cms.credential.write", []int{204, 400, 403, 404, 500}, nil, false},
	{"cms", "POST", "/v1/credentials/{credentialId}/suspend", "suspendCredential", "cms.credential.write", []int{204, 400, 403, 404, 500}, nil, false},
	{"cms", "POST", "/v1/credentials/{credentialId}/unsuspend", "unsuspendCredential", "cms.credential.write", []int{204, 400, 403, 404, 500}, nil, false},
	{"cms", "POST", "/v1/credentials/{credentialId}/revoke", "revokeCredential", "cms.credential.write", []int{204, 400, 403, 404, 500}, nil, false},
	{"cms", "POST", "/v1/credentials/{credentialId}/status", "setCredentialStatus", "cms.credential.write", []int{204, 400, 403, 404, 500}, nil, false},
	{"cms", "POST", "/v1/credentialProfiles", "findCredentialProfiles", "cms.profile.read", []int{200, 400, 403, 404, 500}, nil, true},

	{"abis", "POST", "/v1/persons/{personId}/encounters/{encounterId}", "createEncounter", "abis.encounter.write", []int{200, 202, 400, 403, 409, 500}, []string{"personId", "encounterId"}, false},
	{"abis", "PUT", "/v1/persons/{personId}/encounters/{encounterId}", "updateEncounter", "abis.encounter.write", []int{200, 202, 400, 403, 404, 500}, []string{"personId", "encounterId"}, false},
	{"abis", "GET", "/v1/persons/{personId}/encounters/{encounterId}", "readEncounter", "abis.encounter.read", []int{200, 202, 400, 403, 404, 500}, []string{"status", "encounterId", "encounterType", "galleries", "biometricData"}, false},
	{"abis", "DELETE", "/v1/persons/{personId}/encounters/{encounterId}", "deleteEncounter", "abis.encounter.write", []int{202, 204, 400, 403, 404, 500}, nil, false},
	{"abis", "POST", "/v1/identify/{galleryId}", "identify", "abis.identify", []int{200, 202, 400, 403, 404, 500}, []string{"personId", "rank", "score"}, true},
	{"abis", "POST", "/v1/verify/{galleryId}/{personId}", "verifyFromId", "abis.verify", []int{200, 202, 400, 403, 404, 500}, []string{"decision"}, false},
	{"abis", "GET", "/v1/galleries", "readGalleries", "abis.gallery.read", []int{200, 202, 400, 403, 500}, nil, true},
	{"abis", "GET", "/v1/tasks/{taskId}/status", "readTaskStatus", "abis.task.read", []int{200, 400, 403, 404, 500}, nil, false},
	{"abis", "POST", "/v1/tasks/{taskId}/redeliver", "redeliverTaskResult", "abis.task.update", []int{204, 400, 403, 404, 500}, nil, false},

	{"pr", "POST", "/v1/persons", "findPersons", "pr.person.read", []int{200, 400, 403, 500}, []string{"personId"}, true},
	{"pr", "GET", "/v1/persons/{personId}", "readPerson", "pr.person.read", []int{200, 400, 403, 404, 500}, []string{"status", "physicalStatus"}, false},
	{"pr", "GET", "/v1/persons/{personId}/reference", "readReference", "pr.reference.read", []int{200, 400, 403, 404, 500}, []string{"status", "identityId", "identityType"}, false},
}

// errorKeys are those that an error has, and no others.
var errorKeys = []string{"code", "message"}
