package outbox

// plain has no meaning here.
const plain = 0
