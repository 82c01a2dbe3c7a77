-- Which events somebody wants to hear of (common/job/event.h), as svc-integrations says; and the chatbots whose unanswered
-- conversations go on to people.
CREATE TABLE listening (
  owner_id uuid PRIMARY KEY,
  events   text[] NOT NULL,
  handover uuid[] NOT NULL
);
