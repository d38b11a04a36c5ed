-- Rows of the inbox charged. The first statement puts them in; ./run takes its time off.
SELECT /* input */ fill('credits.inbox', :events, :wallets);
SELECT credits.settle(:events);
